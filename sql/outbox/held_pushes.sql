-- SPEC E3: pushes that need a decision, or all in a state. Parameters: states (JSON), reason (or null), since (or '').
select
    p.communication_id, p.target, p.state, p.reason, p.attempts, p.updated_at, p.first_seen_at, p.words,
    p.external_contact_id as pushed_contact_id,
    c.occurred_at, c.channel, c.type, c.direction, c.body, c.contact_id,
    coalesce(c.assigned_contact_id, c.external_contact_id) as external_contact_id, c.external_id, c.phone, c.email
from communication_pushes as p inner join communications as c on c.communication_id = p.communication_id
where
    p.state in (select value from json_each(:states))
    and (:reason is null or p.reason = :reason)
    and c.occurred_at >= :since
order by c.occurred_at, p.communication_id, p.target;
