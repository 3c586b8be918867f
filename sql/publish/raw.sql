-- SPEC Q1: the latest reading of each record in each feed, as received. `shown` and `shown_leads` are also for the other
-- tables: `fields` has the names in lower case. Of few contacts at once (slices.sql), so the JSON of all they need is
-- fetched once; what opportunities come from may be older (`is_latest`).
create or replace temp table shown_readings as
with latest as (
    select reading_no from work.pipeline.last_readings where contact_key in (select contact_key from chosen)
),
sources as (
    select unnest([reading_no, lead_no]) as reading_no
    from work.main.opportunities
    where external_contact_id in (select contact_key from chosen)
)
select reading_no, true as is_latest from latest
union all
select distinct reading_no, false from sources
where reading_no is not null and reading_no not in (select reading_no from latest);

-- the numbers of each feed lie close together, so only few row groups are read
create or replace temp table shown as
with found as (
    select * from work.raw.readings
    where reading_no in (select reading_no from shown_readings where (reading_no // 100000000000) % 2 = 0)
    union all
    select * from work.raw.readings
    where reading_no in (select reading_no from shown_readings where (reading_no // 100000000000) % 2 = 1)
)
select
    *,
    -- no join, for which DuckDB would at times keep the records in memory instead of the numbers
    reading_no in (select reading_no from shown_readings where is_latest) as is_latest,
    coalesce(normal::varchar, work.pipeline.lower_keys(record)) as fields
from found;

-- a record that has no normal form is read as received; of one that has, the lists may differ in length
create or replace temp view shown_leads as
with lists as (
    select
        *,
        from_json(coalesce(normal, record), '{"leads": ["json"]}').leads as leads,
        case
            when normal is not null then list_filter(
                from_json(coalesce(record -> '$.leads', record -> '$.Leads', record -> '$.LEADS'), '["json"]'),
                lambda lead: json_type(lead) = 'OBJECT'
            )
        end as received,
        normal is not null or fields = record::varchar as is_lower
    from shown
    where is_latest
),
listed as (
    select
        sync_id, feed, read_at, page, place, external_contact_id, reading_no, is_lower,
        unnest(leads) as fields,
        unnest(case when len(received) = len(leads) then received else leads end) as record,
        generate_subscripts(leads, 1)::integer as lead_place
    from lists
),
keyed as (
    select *, from_json(fields, '{"id": "varchar", "?key": "varchar"}') as lead from listed
)
select
    * exclude (lead, is_lower)
    replace (case when is_lower then fields::varchar else work.pipeline.lower_keys(fields) end as fields),
    lead.id as external_id,
    coalesce(lead."?key", lead.id) as lead_key
from keyed;

insert into raw.prospects
select
    sync_id, feed, read_at, page, place, external_contact_id,
    case
        -- an empty list says that there are none, which is more than not knowing of any
        when json_type(record) = 'OBJECT' and json_array_length(record, '$.leads') is distinct from 0
            then json_merge_patch(record, '{"leads": null, "Leads": null, "LEADS": null}')
        else record
    end
from shown
where is_latest;

insert into raw.leads
select sync_id, feed, read_at, page, place, external_contact_id, external_id, record, lead_place from shown_leads;
