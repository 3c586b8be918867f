-- SPEC E1, E5: the communications of a contact, each with its pushes: those that were pushed to it or name it, and those
-- of the Hatch contacts that are known to be it. Parameter: contact.
with hatch_contacts as (
    select hatch_contact_id from hatch_deliveries where external_contact_id = :contact and hatch_contact_id is not null
    union
    select hatch_contact_id from contact_history where external_contact_id = :contact
)
select
    c.communication_id, c.occurred_at, c.channel, c.direction, c.landed_at,
    p.target, p.state, p.reason, p.attempts, p.updated_at, p.next_try_at, p.words
from communications as c
left join communication_pushes as p on p.communication_id = c.communication_id
where
    p.external_contact_id = :contact
    or coalesce(c.assigned_contact_id, c.external_contact_id) = :contact
    or (
        coalesce(p.external_contact_id, c.assigned_contact_id, c.external_contact_id) is null
        and c.contact_id in (select hatch_contact_id from hatch_contacts)
    )
order by c.occurred_at, c.communication_id, p.target;
