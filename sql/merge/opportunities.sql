-- SPEC M2, M3: write what is inserted or updated; what is unchanged or stale is not touched.
-- Variable: now_at.
create or replace temp table written as
select *, nextval('pipeline.object_numbers') as object_no from outcomes where outcome in ('inserted', 'updated');

insert into pipeline.opportunity_objects
select
    object_no, prospect, lead, prospect_content, lead_content,
    created_read_at, updated_read_at, lead_read_at
from written;

delete from opportunities
using written as w
where
    opportunities.external_contact_id = w.external_contact_id
    and opportunities.external_id is not distinct from w.external_id
    and opportunities.external_created_local = w.external_created_local;

insert into opportunities by name
select
    external_contact_id,
    external_id,
    external_created_at,
    external_updated_at,
    email,
    first_name,
    last_name,
    phone,
    status,
    external_updated_at_source,
    combination,
    external_created_local,
    lead_changed_at,
    coalesce(first_synced_at, getvariable('now_at')) as first_synced_at,
    getvariable('now_at') as changed_at,
    read_at,
    gone_since,
    reading_no,
    content_digest,
    object_no
from written;
