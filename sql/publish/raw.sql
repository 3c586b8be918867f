-- SPEC Q1: the latest reading of each record in each feed, as received. `shown` and `shown_leads` are also for the
-- other tables: `fields` has the names in lower case. Both are views: JSON is streamed from where it is stored into the
-- published tables, for a copy of all of it would not fit into memory.
create or replace temp table shown_readings as
select r.reading_no, r.feed, r.external_contact_id, r.read_at
from work.pipeline.last_readings as l inner join work.raw.readings as r on r.reading_no = l.reading_no
where l.contact_key in (select contact_key from chosen);

create or replace temp view shown as
select r.*, coalesce(r.normal::varchar, work.pipeline.lower_keys(r.record)) as fields
from work.raw.readings as r
where r.reading_no in (select reading_no from shown_readings);

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
        end as received
    from work.raw.readings
    where reading_no in (select reading_no from shown_readings)
),
listed as (
    select
        sync_id, feed, read_at, page, place, external_contact_id, reading_no,
        normal is null as is_plain,
        unnest(leads) as fields,
        unnest(case when len(received) = len(leads) then received else leads end) as record,
        generate_subscripts(leads, 1)::integer as lead_place
    from lists
),
keyed as (
    select *, from_json(fields, '{"id": "varchar", "?key": "varchar"}') as lead from listed
)
select
    * exclude (lead, is_plain)
    replace (case when is_plain then work.pipeline.lower_keys(fields) else fields::varchar end as fields),
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
from shown;

insert into raw.leads
select sync_id, feed, read_at, page, place, external_contact_id, external_id, record, lead_place from shown_leads;
