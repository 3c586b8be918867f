-- SPEC Q2: LeadPerfection's records with typed columns. Times are in LeadPerfection's local time. Fields are found by
-- comparing names, never by a JSON path that contains one: a name may hold anything.
-- Variable: zone.
create temp table sources as
select
    external_contact_id,
    max(reading_no) as newer_no,
    min(reading_no) as older_no,
    -- J1: a prospect's leads come from the lead feed, or from the prospect feed if the lead feed has never shown it
    arg_min(reading_no, feed) as leads_no
from latest_readings
where external_contact_id is not null
group by external_contact_id;

-- One row per prospect. As in opportunities (J1), each field comes from the newer of its two readings that has the key.
insert into prospects
with readings as (
    select
        n.external_contact_id,
        greatest(n.read_at, o.read_at) as read_at,
        n.content as newer,
        o.content as older,
        json_keys(n.fields) as newer_names,
        json_keys(o.content) as older_names
    from sources as s
    inner join work.raw.prospects as n on n.reading_no = s.newer_no
    left join work.raw.prospects as o on o.reading_no = s.older_no and s.older_no < s.newer_no
),
merged as (
    select
        external_contact_id,
        read_at,
        case
            when older is null or list_has_all(newer_names, older_names) then newer
            -- what only the older one has, and over it the newer one: no key is in both, so nothing mixes inside a value
            else json_merge_patch(
                to_json(map_from_entries(list_filter(
                    map_entries(older::map(varchar, json)), lambda entry: not list_contains(newer_names, entry.key)
                ))),
                newer
            )
        end as content
    from readings
),
parsed as (
    select
        *,
        from_json(
            content,
            '{"firstname": "varchar", "lastname": "varchar", "email": "varchar", "phone1": "varchar",
              "address1": "varchar", "city": "varchar", "state": "varchar", "zip": "varchar",
              "dateadded": "varchar", "lastchanged": "varchar"}'
        ) as field
    from merged
)
select
    external_contact_id,
    field.firstname,
    field.lastname,
    field.email,
    field.phone1,
    field.address1,
    field.city,
    field.state,
    field.zip,
    work.pipeline.lp_wall(field.dateadded, getvariable('zone')),
    work.pipeline.lp_wall(field.lastchanged, getvariable('zone')),
    read_at,
    content
from parsed;

-- One row per lead. If two leads of a prospect have the same ID, the first one counts.
insert into leads
with chosen as (
    select l.reading_no, min(l.lead_place) as lead_place
    from work.raw.leads as l inner join sources as s on s.leads_no = l.reading_no
    group by l.reading_no, l.lead_key
),
parsed as (
    select
        l.*,
        from_json(
            l.content,
            '{"disposition": "varchar", "source": "varchar", "sourcesubdescr": "varchar", "brn_id": "varchar",
              "salesrepname": "varchar", "entrydate": "varchar", "dateentered": "varchar", "lastchangedon": "varchar",
              "apptset": "varchar", "apptdate": "varchar", "sold": "varchar", "grosssaleamount": "varchar"}'
        ) as field
    from work.raw.leads as l inner join chosen as c on c.reading_no = l.reading_no and c.lead_place = l.lead_place
)
select
    external_contact_id,
    external_id,
    field.disposition,
    field.source,
    field.sourcesubdescr,
    field.brn_id,
    field.salesrepname,
    work.pipeline.lp_wall(field.entrydate, getvariable('zone')),
    work.pipeline.lp_wall(field.dateentered, getvariable('zone')),
    work.pipeline.lp_wall(field.lastchangedon, getvariable('zone')),
    try_cast(field.apptset as boolean),
    work.pipeline.lp_wall(field.apptdate, getvariable('zone')),
    try_cast(field.sold as boolean),
    try_cast(field.grosssaleamount as decimal(18, 2)),
    feed,
    read_at,
    lead_place,
    content
from parsed;

-- One row per job of each lead, in the order received.
insert into jobs
with listed as (
    select external_contact_id, external_id, from_json(content -> '$.jobs', '["json"]') as jobs
    from leads
    where json_type(content, '$.jobs') = 'ARRAY'
),
items as (
    select external_contact_id, external_id, unnest(jobs) as job, generate_subscripts(jobs, 1) as place from listed
),
parsed as (
    select
        *,
        from_json(
            job,
            '{"id": "varchar", "contractid": "varchar", "contractdate": "varchar", "jobstatus": "varchar",
              "grossamount": "varchar"}'
        ) as field
    from items
    where json_type(job) = 'OBJECT'
)
select
    external_contact_id,
    external_id,
    place,
    field.id,
    field.contractid,
    work.pipeline.lp_wall(field.contractdate, getvariable('zone')),
    field.jobstatus,
    try_cast(field.grossamount as decimal(18, 2)),
    job
from parsed;

-- One row per appointment of each lead, in the order received.
insert into appointments
with listed as (
    select external_contact_id, external_id, from_json(content -> '$.appointments', '["json"]') as appointments
    from leads
    where json_type(content, '$.appointments') = 'ARRAY'
),
items as (
    select
        external_contact_id,
        external_id,
        unnest(appointments) as appointment,
        generate_subscripts(appointments, 1) as place
    from listed
),
parsed as (
    select
        *,
        from_json(
            appointment, '{"id": "varchar", "apptdate": "varchar", "disposition": "varchar", "lastchangedon": "varchar"}'
        ) as field
    from items
    where json_type(appointment) = 'OBJECT'
)
select
    external_contact_id,
    external_id,
    place,
    field.id,
    work.pipeline.lp_wall(field.apptdate, getvariable('zone')),
    field.disposition,
    work.pipeline.lp_wall(field.lastchangedon, getvariable('zone')),
    appointment
from parsed;
