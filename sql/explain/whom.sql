-- SPEC E1: whom an id belongs to, in published.duckdb: a prospect, or a lead under one or several prospects.
-- Parameter: id.
with prospects_known as (
    select external_contact_id from raw.prospects
    union
    select external_contact_id from opportunity_details
    union
    select external_contact_id from rejected_records
),
leads_known as (
    select external_contact_id, external_id from raw.leads
    union
    select external_contact_id, external_id from opportunity_details
    union
    select external_contact_id, external_id from rejected_records
    union
    select external_contact_id, external_id from opportunity_changes
)
select external_contact_id, null as external_id from prospects_known where external_contact_id = $id
union all
select external_contact_id, external_id
from leads_known
where external_id = $id and external_contact_id is not null
order by all nulls first;
