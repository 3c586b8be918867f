-- SPEC J3, M8, Q2: views for users. They must also run on DuckDB 1.5.

-- J3: all other fields, by their lowercase name: prospect ->> '$.city'.
create view opportunity_details as
select o.*, b.prospect, b.lead
from opportunities as o
inner join internal.opportunity_objects as b
    on
        b.external_contact_id = o.external_contact_id
        and b.external_id is not distinct from o.external_id
        and b.external_created_local = o.external_created_local;

-- M8: the first opportunity of each contact.
create view current_opportunities as
select * exclude (opportunity_place) from ranked_opportunities where opportunity_place = 1;

-- One row per lead, from the prospect's latest reading in the lead feed, or in the prospect feed if the lead feed has
-- never shown it. Times are in LeadPerfection's local time.
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
    pipeline.lp_wall(l.content ->> '$.entrydate', p.leadperfection_timezone) as entry_date,
    pipeline.lp_wall(l.content ->> '$.dateentered', p.leadperfection_timezone) as entered_at,
    pipeline.lp_wall(l.content ->> '$.lastchangedon', p.leadperfection_timezone) as changed_at,
    try_cast(l.content ->> '$.apptset' as boolean) as appointment_set,
    pipeline.lp_wall(l.content ->> '$.apptdate', p.leadperfection_timezone) as appointment_at,
    try_cast(l.content ->> '$.sold' as boolean) as sold,
    try_cast(l.content ->> '$.grosssaleamount' as decimal(18, 2)) as gross_sale_amount,
    l.feed,
    l.read_at,
    l.lead_place,
    l.content
from raw.leads as l
inner join sources as s on s.external_contact_id = l.external_contact_id and s.feed = l.feed
cross join published as p
-- if two leads have the same id, the first one counts
qualify row_number() over (
    partition by l.external_contact_id, coalesce(l.external_id, l.content::varchar) order by l.lead_place
) = 1;

-- One row per prospect. As in opportunities, each field comes from the newer of its two readings that has the key.
create view prospects as
with readings as (
    select
        external_contact_id,
        arg_max(fields, (sync_id, feed, page, place)) as newer_fields,
        arg_max(content, (sync_id, feed, page, place)) as newer,
        arg_min(content, (sync_id, feed, page, place)) as older,
        max(read_at) as read_at
    from internal.prospect_fields
    group by external_contact_id
)
select
    r.external_contact_id,
    pipeline.newer_field(newer_fields, newer, older, 'firstname') as first_name,
    pipeline.newer_field(newer_fields, newer, older, 'lastname') as last_name,
    pipeline.newer_field(newer_fields, newer, older, 'email') as email,
    pipeline.newer_field(newer_fields, newer, older, 'phone1') as phone,
    pipeline.newer_field(newer_fields, newer, older, 'address1') as address,
    pipeline.newer_field(newer_fields, newer, older, 'city') as city,
    pipeline.newer_field(newer_fields, newer, older, 'state') as state,
    pipeline.newer_field(newer_fields, newer, older, 'zip') as zip,
    pipeline.lp_wall(pipeline.newer_field(newer_fields, newer, older, 'dateadded'), p.leadperfection_timezone) as added_at,
    pipeline.lp_wall(pipeline.newer_field(newer_fields, newer, older, 'lastchanged'), p.leadperfection_timezone)
        as changed_at,
    r.read_at,
    pipeline.newer_content(newer_fields, newer, older) as content
from readings as r cross join published as p;

-- One row per job of each lead, in the order received.
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
    i.external_contact_id,
    i.external_id,
    i.place,
    i.job ->> '$.id' as job_id,
    i.job ->> '$.contractid' as contract_id,
    pipeline.lp_wall(i.job ->> '$.contractdate', p.leadperfection_timezone) as contract_date,
    i.job ->> '$.jobstatus' as job_status,
    try_cast(i.job ->> '$.grossamount' as decimal(18, 2)) as gross_amount,
    i.job as content
from items as i cross join published as p
where json_type(i.job) = 'OBJECT';

-- One row per appointment of each lead, in the order received.
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
    i.external_contact_id,
    i.external_id,
    i.place,
    i.appointment ->> '$.id' as appointment_id,
    pipeline.lp_wall(i.appointment ->> '$.apptdate', p.leadperfection_timezone) as appointment_at,
    i.appointment ->> '$.disposition' as disposition,
    pipeline.lp_wall(i.appointment ->> '$.lastchangedon', p.leadperfection_timezone) as changed_at,
    i.appointment as content
from items as i cross join published as p
where json_type(i.appointment) = 'OBJECT';

-- One row per communication received from Hatch.
create view communications as
select
    communication_id, source, occurred_at, channel, type, direction, actor_type, actor_name, body, delivery_status,
    duration_seconds, links, contact_id, external_contact_id, external_id, phone, email, landed_at
from raw.communications;
