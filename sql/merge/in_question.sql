-- SPEC M3: staged opportunities that are there with the same columns, but from other readings: whether they are
-- unchanged depends on their contents. For both the sources: reading_no, older_keys, lead_no, lead_place. A lead
-- with another stamp than its opportunity was written with needs no comparison.
create or replace temp table compared_opportunities as
select
    s.contact_key,
    s.lead_key,
    s.external_contact_id,
    s.external_id,
    s.external_created_local,
    o.first_synced_at,
    o.gone_since,
    case
        when len(s.missing) > 0 then 'rejected'
        when o.external_contact_id is null then 'inserted'
        when s.reading_no < o.reading_no then 'stale'
        when
            s.combination = o.combination
            and s.external_created_at = o.external_created_at
            and s.external_updated_at = o.external_updated_at
            and s.email is not distinct from o.email
            and s.first_name is not distinct from o.first_name
            and s.last_name is not distinct from o.last_name
            and s.phone is not distinct from o.phone
            and s.status is not distinct from o.status
            and not (l.lead_key is not null and is_stamped_anew(l.lastchangedon, l.dateentered, o.lead_changed_at))
            then 'unchanged'
        else 'updated'
    end as outcome,
    s.reading_no,
    s.older_keys::varchar as older_keys,
    s.lead_no,
    s.lead_place,
    o.reading_no as old_reading_no,
    o.older_keys::varchar as old_older_keys,
    o.lead_no as old_lead_no,
    o.lead_place as old_lead_place
from staged_opportunities as s
left join known_opportunities as o
    on
        o.external_contact_id = s.external_contact_id
        and o.external_id is not distinct from s.external_id
        and o.external_created_local = s.external_created_local
left join pipeline.current_leads as l on l.contact_key = s.contact_key and l.lead_key = s.lead_key;

select
    contact_key, lead_key,
    reading_no, older_keys, lead_no, lead_place,
    old_reading_no, old_older_keys, old_lead_no, old_lead_place
from compared_opportunities
where
    outcome = 'unchanged'
    and row(reading_no, older_keys, lead_no, lead_place)
    is distinct from row(old_reading_no, old_older_keys, old_lead_no, old_lead_place)
order by contact_key, lead_key;
