-- SPEC E3: pushes that need a decision, or all in a state. Parameters: states (JSON), reason (or null), since (or '').
select
    p.communication_id, p.target, p.state, p.reason, p.attempts, p.updated_at, p.external_contact_id, p.words,
    c.occurred_at, c.channel, c.direction
from communication_pushes as p inner join communications as c on c.communication_id = p.communication_id
where
    p.state in (select value from json_each(:states))
    and (:reason is null or p.reason = :reason)
    and c.occurred_at >= :since
order by c.occurred_at, p.communication_id, p.target;
