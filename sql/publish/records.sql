-- SPEC Q2: LeadPerfection's records with typed columns. Times are in LeadPerfection's local time. Fields are found by
-- comparing names, never by a JSON path that contains one: a name may hold anything.
-- Variable: zone.
create or replace temp table sources as
select
    external_contact_id,
    max(reading_no) as newer_no,
    max(read_at) as read_at,
    -- J1: a prospect's leads come from the lead feed, or from the prospect feed if the lead feed has never shown it
    arg_min(reading_no, feed) as leads_no
from shown
where is_latest and external_contact_id is not null
group by external_contact_id;

-- One row per prospect. As in opportunities (J1), each field comes from the latest reading that has the key.
insert into prospects
with merged as (
    select
        n.external_contact_id,
        s.read_at,
        case
            when o.older_keys is null
                then json_merge_patch(coalesce(n.fields, n.own, n.record), '{"leads": null, "notes": null, "calls": null}')
            -- no key is in both, so nothing mixes inside a value
            else json_merge_patch(
                o.older_keys, coalesce(n.fields, n.own, n.record), '{"leads": null, "notes": null, "calls": null}'
            )
        end as content
    from shown as n
    inner join sources as s on s.newer_no = n.reading_no
    left join work.pipeline.older_keys as o on o.contact_key = n.external_contact_id
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
),
dated as (
    select
        *,
        list_transform(
            [field.dateadded, field.lastchanged], lambda date: work.pipeline.lp_wall(trim(date), getvariable('zone'))
        ) as dates
    from parsed
)
select
    external_contact_id,
    work.pipeline.lp_text(field.firstname),
    work.pipeline.lp_text(field.lastname),
    work.pipeline.lp_text(field.email),
    work.pipeline.lp_text(field.phone1),
    work.pipeline.lp_text(field.address1),
    work.pipeline.lp_text(field.city),
    work.pipeline.lp_text(field.state),
    work.pipeline.lp_text(field.zip),
    dates[1],
    dates[2],
    read_at,
    content
from dated;

-- One row per lead. If two leads of a prospect have the same ID, the first one counts.
create or replace temp table chosen_leads as
with numbered as (
    select reading_no, lead_place, coalesce(field."?key", field.id) as lead_key from shown_leads
),
first_of_id as (
    select n.reading_no, min(n.lead_place) as lead_place
    from numbered as n inner join sources as s on s.leads_no = n.reading_no
    group by n.reading_no, n.lead_key
)
select
    external_contact_id, field.id as external_id, feed, read_at, lead_place, field,
    json_merge_patch(fields, '{"notes": null, "calls": null, "?key": null}') as content
from shown_leads
where (reading_no, lead_place) in (select (reading_no, lead_place) from first_of_id);

insert into leads
with dated as (
    select
        *,
        list_transform(
            [field.entrydate, field.dateentered, field.lastchangedon, field.apptdate],
            lambda date: work.pipeline.lp_wall(trim(date), getvariable('zone'))
        ) as dates
    from chosen_leads
)
select
    external_contact_id,
    external_id,
    work.pipeline.lp_text(field.disposition),
    work.pipeline.lp_text(field.source),
    work.pipeline.lp_text(field.sourcesubdescr),
    work.pipeline.lp_text(field.brn_id),
    work.pipeline.lp_text(field.salesrepname),
    dates[1],
    dates[2],
    dates[3],
    try_cast(trim(field.apptset) as boolean),
    dates[4],
    try_cast(trim(field.sold) as boolean),
    try_cast(trim(field.grosssaleamount) as decimal(18, 2)),
    feed,
    read_at,
    lead_place,
    content
from dated;

-- One row per job of each lead, in the order received.
insert into jobs
with items as (
    select external_contact_id, external_id, unnest(field.jobs) as job, generate_subscripts(field.jobs, 1) as place
    from chosen_leads
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
    work.pipeline.lp_text(field.id),
    work.pipeline.lp_text(field.contractid),
    work.pipeline.lp_wall(trim(field.contractdate), getvariable('zone')),
    work.pipeline.lp_text(field.jobstatus),
    try_cast(trim(field.grossamount) as decimal(18, 2)),
    job
from parsed;

-- One row per appointment of each lead, in the order received.
insert into appointments
with items as (
    select
        external_contact_id,
        external_id,
        unnest(field.appointments) as appointment,
        generate_subscripts(field.appointments, 1) as place
    from chosen_leads
),
parsed as (
    select
        *,
        from_json(
            appointment, '{"id": "varchar", "apptdate": "varchar", "disposition": "varchar", "lastchangedon": "varchar"}'
        ) as field
    from items
    where json_type(appointment) = 'OBJECT'
),
dated as (
    select
        *,
        list_transform(
            [field.apptdate, field.lastchangedon], lambda date: work.pipeline.lp_wall(trim(date), getvariable('zone'))
        ) as dates
    from parsed
)
select
    external_contact_id,
    external_id,
    place,
    work.pipeline.lp_text(field.id),
    dates[1],
    work.pipeline.lp_text(field.disposition),
    dates[2],
    appointment
from dated;
