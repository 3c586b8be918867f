-- SPEC M1 to M5: what each staged opportunity means for the table. The key is contact, lead (null equals null) and
-- External Created At on LP's wall clock.
create or replace temp table outcomes as
select
    s.*,
    case
        when len(s.missing) > 0 then 'rejected'
        when o.external_contact_id is null then 'inserted'
        when s.reading_no < o.reading_no then 'stale'
        when
            s.content_digest = o.content_digest
            and s.combination = o.combination
            and s.external_created_at = o.external_created_at
            and s.external_updated_at = o.external_updated_at
            and s.email is not distinct from o.email
            and s.first_name is not distinct from o.first_name
            and s.last_name is not distinct from o.last_name
            and s.phone is not distinct from o.phone
            and s.status is not distinct from o.status
            then 'unchanged'
        else 'updated'
    end as outcome,
    o.first_synced_at,
    o.gone_since,
    case when s.combination = 'prospect' then '' else s.lead_key end as rejection_key
from staged_opportunities as s
left join opportunities as o
    on
        o.external_contact_id = s.external_contact_id
        and o.external_id is not distinct from s.external_id
        and o.external_created_local = s.external_created_local;
