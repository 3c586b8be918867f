-- The views that people query (SPEC J3, M8, Q2). They must run on DuckDB 1.5 as well.

-- J3: every other field stays reachable, under its name in lower case: prospect ->> '$.city'.
create view opportunity_details as
select o.*, b.prospect, b.lead
from opportunities as o
inner join internal.opportunity_objects as b
    on
        b.external_contact_id = o.external_contact_id
        and b.external_id is not distinct from o.external_id
        and b.external_created_local = o.external_created_local;

-- M8: the first of each contact.
create view current_opportunities as
select * exclude (opportunity_place) from ranked_opportunities where opportunity_place = 1;

-- One row for each lead of each prospect, out of the prospect's latest reading in the lead feed, or, as long as that has
-- never shown it, in the prospect feed. Times are LeadPerfection's wall clock.
create view leads as
with sources as (
    select external_contact_id, min(feed) as feed
    from raw.prospects
    where external_contact_id is not null
    group by external_contact_id
)
select
    l.external_contact_id,
    l.external_id,
    l.content ->> '$.disposition' as disposition,
    l.content ->> '$.source' as source,
    l.content ->> '$.sourcesubdescr' as source_detail,
    l.content ->> '$.brn_id' as branch,
    l.content ->> '$.salesrepname' as sales_rep,
    try_cast(l.content ->> '$.entrydate' as timestamp) as entry_date,
    try_cast(l.content ->> '$.dateentered' as timestamp) as entered_at,
    try_cast(l.content ->> '$.lastchangedon' as timestamp) as changed_at,
    try_cast(l.content ->> '$.apptset' as boolean) as appointment_set,
    try_cast(l.content ->> '$.apptdate' as timestamp) as appointment_at,
    try_cast(l.content ->> '$.sold' as boolean) as sold,
    try_cast(l.content ->> '$.grosssaleamount' as decimal(18, 2)) as gross_sale_amount,
    l.feed,
    l.read_at,
    l.lead_place,
    l.content
from raw.leads as l
inner join sources as s on s.external_contact_id = l.external_contact_id and s.feed = l.feed;

-- One row for each prospect; a field that its newest reading leaves empty comes from the other feed's.
create view prospects as
with contents as (
    select
        external_contact_id,
        arg_max(content, (sync_id, feed, page, place)) as newer,
        arg_min(content, (sync_id, feed, page, place)) as older,
        max(read_at) as read_at
    from raw.prospects
    where external_contact_id is not null
    group by external_contact_id
)
select
    external_contact_id,
    coalesce(newer ->> '$.firstname', older ->> '$.firstname') as first_name,
    coalesce(newer ->> '$.lastname', older ->> '$.lastname') as last_name,
    coalesce(newer ->> '$.email', older ->> '$.email') as email,
    coalesce(newer ->> '$.phone1', older ->> '$.phone1') as phone,
    coalesce(newer ->> '$.address1', older ->> '$.address1') as address,
    coalesce(newer ->> '$.city', older ->> '$.city') as city,
    coalesce(newer ->> '$.state', older ->> '$.state') as state,
    coalesce(newer ->> '$.zip', older ->> '$.zip') as zip,
    try_cast(coalesce(newer ->> '$.dateadded', older ->> '$.dateadded') as timestamp) as added_at,
    try_cast(coalesce(newer ->> '$.lastchanged', older ->> '$.lastchanged') as timestamp) as changed_at,
    read_at,
    newer as content
from contents;

-- One row for each job of each lead, in the order received.
create view jobs as
with items as (
    select
        external_contact_id,
        external_id,
        unnest(from_json(content -> '$.jobs', '["json"]')) as job,
        generate_subscripts(from_json(content -> '$.jobs', '["json"]'), 1) as place
    from leads
    where json_type(content, '$.jobs') = 'ARRAY'
)
select
    external_contact_id,
    external_id,
    place,
    job ->> '$.id' as job_id,
    job ->> '$.contractid' as contract_id,
    try_cast(job ->> '$.contractdate' as timestamp) as contract_date,
    job ->> '$.jobstatus' as job_status,
    try_cast(job ->> '$.grossamount' as decimal(18, 2)) as gross_amount,
    job as content
from items
where json_type(job) = 'OBJECT';

-- One row for each appointment of each lead, in the order received.
create view appointments as
with items as (
    select
        external_contact_id,
        external_id,
        unnest(from_json(content -> '$.appointments', '["json"]')) as appointment,
        generate_subscripts(from_json(content -> '$.appointments', '["json"]'), 1) as place
    from leads
    where json_type(content, '$.appointments') = 'ARRAY'
)
select
    external_contact_id,
    external_id,
    place,
    appointment ->> '$.id' as appointment_id,
    try_cast(appointment ->> '$.apptdate' as timestamp) as appointment_at,
    appointment ->> '$.disposition' as disposition,
    try_cast(appointment ->> '$.lastchangedon' as timestamp) as changed_at,
    appointment as content
from items
where json_type(appointment) = 'OBJECT';

-- One row for each communication that came in from Hatch.
create view communications as
select
    communication_id, source, occurred_at, channel, type, direction, actor_type, actor_name, body, delivery_status,
    duration_seconds, links, contact_id, external_contact_id, external_id, phone, email, landed_at
from raw.communications;
