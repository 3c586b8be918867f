-- SPEC E5: the leads that LeadPerfection ever showed under a prospect, and the other prospects that have them, too.
-- Variable: contact.
with mine as (
    select unnest(from_json(coalesce(normal, record), '{"leads": [{"id": "VARCHAR"}]}').leads).id as external_id
    from raw.readings
    where contact_key = getvariable('contact')
    union
    select external_id from opportunities where external_contact_id = getvariable('contact')
    union
    select external_id from pipeline.lead_listings where contact_key = getvariable('contact')
)
select
    m.external_id,
    (
        select count(distinct l.contact_key)
        from pipeline.lead_listings as l
        where l.external_id = m.external_id and l.contact_key <> getvariable('contact')
    ) as others
from mine as m
where m.external_id is not null
order by m.external_id;
