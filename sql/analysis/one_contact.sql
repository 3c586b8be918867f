-- Everything known about one contact, newest first. As it is, the contact that changed last; for another one, put
-- `select '123456' as external_contact_id` (a cst_id) into `chosen`. Times are in the account's time zone.
with chosen as (
    select external_contact_id
    from current_opportunities
    order by external_updated_at desc, external_contact_id
    limit 1
)
select
    d.external_contact_id,
    d.external_id,
    d.opportunity_place,
    d.combination,
    d.status,
    d.first_name,
    d.last_name,
    d.phone,
    d.email,
    d.external_created_local as created_at,
    timezone(p.leadperfection_timezone, d.external_updated_at) as updated_at,
    timezone(p.leadperfection_timezone, d.first_synced_at) as first_synced_at,
    timezone(p.leadperfection_timezone, d.changed_at) as changed_at,
    timezone(p.leadperfection_timezone, d.gone_since) as gone_since,
    d.prospect,
    d.lead
from opportunity_details as d inner join chosen as c using (external_contact_id) cross join published as p
order by d.opportunity_place;
