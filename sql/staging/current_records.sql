-- SPEC J1: the current state of each prospect in the batch. Each of its fields comes from the latest reading in
-- either feed that has the key. Its leads come from its latest reading in the lead feed, or in the prospect feed if
-- the lead feed has never shown it. Variable: zone.

-- all that staging reads of a record, in one pass; in this form a key that is there is never null (storage/records.py);
-- no join, for which DuckDB would at times keep the records in memory instead of the numbers
create or replace temp table typed_readings as
select
    feed,
    contact_key,
    reading_no,
    read_at,
    from_json(
        coalesce(normal, record),
        '{
            "email": "VARCHAR", "firstname": "VARCHAR", "lastname": "VARCHAR", "phone1": "VARCHAR",
            "dateadded": "VARCHAR", "lastchanged": "VARCHAR", "altphones": [{"phone": "VARCHAR"}],
            "leads": [{
                "id": "VARCHAR", "?key": "VARCHAR", "disposition": "VARCHAR",
                "dateentered": "VARCHAR", "lastchangedon": "VARCHAR",
                "appointments": [{"lastchangedon": "VARCHAR"}],
                "jobs": [{"contractdate": "VARCHAR", "lastchanged": "VARCHAR", "lastchangedon": "VARCHAR"}]
            }]
        }'
    ) as prospect
from raw.readings
where reading_no in (select reading_no from current_readings);

-- `created_local` is External Created At in LeadPerfection's local time (M1), if it counts
create or replace table pipeline.current_prospects as
with newest as (
    select contact_key, max(reading_no) as reading_no from typed_readings group by contact_key
),
older as (
    select
        *,
        from_json(
            older_keys,
            '{
                "email": "VARCHAR", "firstname": "VARCHAR", "lastname": "VARCHAR", "phone1": "VARCHAR",
                "dateadded": "VARCHAR", "lastchanged": "VARCHAR"
            }'
        ) as prospect
    from older_keys
),
current as (
    select
        n.contact_key,
        n.reading_no,
        t.read_at,
        o.older_keys,
        o.older_numbers,
        coalesce(t.prospect.email, o.prospect.email) as email,
        coalesce(t.prospect.firstname, o.prospect.firstname) as firstname,
        coalesce(t.prospect.lastname, o.prospect.lastname) as lastname,
        coalesce(t.prospect.phone1, o.prospect.phone1) as phone1,
        coalesce(t.prospect.dateadded, o.prospect.dateadded) as dateadded,
        coalesce(t.prospect.lastchanged, o.prospect.lastchanged) as lastchanged,
        case when t.prospect.dateadded is null then o.created_read_at else t.read_at end as created_read_at,
        case when t.prospect.lastchanged is null then o.updated_read_at else t.read_at end as updated_read_at
    from newest as n
    inner join typed_readings as t on t.reading_no = n.reading_no
    left join older as o on o.contact_key = n.contact_key
),
dated as (
    select *, pipeline.lp_instant(dateadded, getvariable('zone')) as created_at from current
)
select
    * replace (pipeline.believed(created_at, created_read_at) as created_at),
    case
        when pipeline.believed(created_at, created_read_at) is not null
            then date_trunc('second', pipeline.lp_wall(dateadded, getvariable('zone')))
    end as created_local
from dated;

create or replace table pipeline.current_leads as
with sources as (
    select contact_key, arg_min(reading_no, feed) as reading_no
    from current_readings
    group by contact_key
),
listed as (
    select
        t.contact_key,
        t.reading_no,
        t.read_at,
        unnest(t.prospect.leads) as lead,
        generate_subscripts(t.prospect.leads, 1) as lead_place
    from typed_readings as t inner join sources as s on s.reading_no = t.reading_no
)
select
    contact_key,
    coalesce(lead."?key", lead.id) as lead_key,
    lead.id as external_id,
    reading_no as lead_no,
    lead_place::integer as lead_place,
    read_at as lead_read_at,
    lead.disposition as disposition,
    lead.lastchangedon as lastchangedon,
    lead.dateentered as dateentered,
    lead.jobs[1].contractdate as contractdate,
    lead.appointments[1].lastchangedon as appointment_lastchangedon,
    pipeline.lead_stamps(lead) as stamps
from listed
-- if two leads have the same id, the first one counts
qualify row_number() over (partition by contact_key, lead_key order by lead_place) = 1;
