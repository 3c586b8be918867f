-- SPEC R5: the pushes of a restored ledger that may have been sent after it was copied: those that were open, and those of
-- communications that occurred or were first seen since then. Parameters: since, until.
insert or ignore into pushes_to_look_for
select p.communication_id, p.target
from communication_pushes as p inner join communications as c on c.communication_id = p.communication_id
where
    p.state not in ('sent', 'sending')
    and c.occurred_at <= :until
    and (p.state in ('pending', 'unmatched') or c.occurred_at >= :since or p.first_seen_at >= :since);
