-- SPEC Q1: of the contacts of one slice, the latest reading of each record in each feed, as received. `shown` and
-- `shown_leads` are also for the other tables: the JSON of all they need is fetched once. Variable: slice.

create or replace temp table wanted as
select reading_no, is_latest from shown_readings where slice = getvariable('slice');

-- `fields` has the names in lower case, `own` has no leads; both are null where they are the record as received. `leads` is
-- null where the record says nothing of leads. The numbers of each feed lie close together, so few row groups are read.
create or replace temp table shown as
with found as (
    select * from work.raw.readings
    where reading_no in (select reading_no from wanted where (reading_no // 100000000000) % 2 = 0)
    union all
    select * from work.raw.readings
    where reading_no in (select reading_no from wanted where (reading_no // 100000000000) % 2 = 1)
),
named as (
    select
        *,
        normal is not null as is_normal,
        case
            -- most have no such key, which is seen sooner than what it is
            when normal is null and regexp_matches(record::varchar, '[A-Z][^"\\]*"\s*:')
                then work.pipeline.lower_keys(record)
        end as lowered,
        from_json(coalesce(normal, record), '{"leads": ["json"]}').leads as leads
    from found
)
select
    * exclude (normal, lowered),
    case when is_normal then normal when lowered <> record::varchar then lowered::json end as fields,
    -- no join, for which DuckDB would at times keep the records in memory instead of the numbers
    reading_no in (select reading_no from wanted where is_latest) as is_latest,
    case
        when
            leads is not null
            -- looking for some letters is faster than for a key, and few records have them elsewhere
            or ((contains(record::varchar, 'eads"') or contains(record::varchar, 'EADS"')) and json_type(record) = 'OBJECT')
            then json_merge_patch(record, '{"leads": null, "Leads": null, "LEADS": null}')
    end as own
from named;

-- One row per lead. A record that has no normal form is read as received; of one that has, the lists may differ in length.
create or replace temp table shown_leads as
with odd as (
    select *, case when is_normal then coalesce(record -> '$.leads', record -> '$.Leads', record -> '$.LEADS') end as given
    from shown
    where len(leads) > 0
),
lists as (
    select
        *,
        list_filter(
            from_json(case when json_type(given) = 'OBJECT' then json_array(given) else given end, '["json"]'),
            lambda lead: json_type(lead) = 'OBJECT'
        ) as received
    from odd
),
listed as (
    select
        sync_id, feed, read_at, page, place, external_contact_id, reading_no, is_latest, is_normal,
        fields is not null and not is_normal as is_raised,
        unnest(leads) as record,
        unnest(case when len(received) = len(leads) then received else leads end) as as_received,
        generate_subscripts(leads, 1)::integer as lead_place
    from lists
),
typed as (
    select
        * exclude (record, as_received, is_raised),
        case when is_raised then work.pipeline.lower_keys(record)::json else record end as fields,
        case when is_normal or is_raised then as_received end as as_received
    from listed
)
select
    *,
    from_json(
        fields,
        '{"id": "varchar", "?key": "varchar", "disposition": "varchar", "source": "varchar",
          "sourcesubdescr": "varchar", "brn_id": "varchar", "salesrepname": "varchar", "entrydate": "varchar",
          "dateentered": "varchar", "lastchangedon": "varchar", "apptset": "varchar", "apptdate": "varchar",
          "sold": "varchar", "grosssaleamount": "varchar", "jobs": ["json"], "appointments": ["json"]}'
    ) as field
from typed;

insert into raw.prospects
select
    sync_id, feed, read_at, page, place, external_contact_id,
    -- an empty list says that there are none, which is more than not knowing of any
    case when len(leads) = 0 then record else coalesce(own, record) end
from shown
where is_latest;

insert into raw.leads
select
    sync_id, feed, read_at, page, place, external_contact_id, field.id, coalesce(as_received, fields), lead_place
from shown_leads
where is_latest;
