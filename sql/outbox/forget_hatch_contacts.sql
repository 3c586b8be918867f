-- SPEC E5: the Hatch contacts of a prospect, and how many other prospects each stands for. Parameter: contact.
with known as (
    select hatch_contact_id, external_contact_id from hatch_deliveries where hatch_contact_id is not null
    union
    select hatch_contact_id, external_contact_id from contact_history where external_contact_id is not null
)
select m.hatch_contact_id, count(distinct o.external_contact_id) as others
from known as m
left join known as o
    on o.hatch_contact_id = m.hatch_contact_id and o.external_contact_id <> m.external_contact_id
where m.external_contact_id = :contact
group by m.hatch_contact_id;
