-- SPEC Q1: the latest reading of each record in each feed, as received. `shown` and `shown_leads` are also for the
-- other tables: `fields` has the names in lower case.
create temp table shown as
select
    r.*,
    l.contact_key as key,
    coalesce(r.normal::varchar, work.pipeline.lower_keys(r.record)) as fields
from work.pipeline.last_readings as l
inner join work.raw.readings as r on r.reading_no = l.reading_no
where l.contact_key in (select contact_key from chosen);

create temp table shown_leads as
with lists as (
    select
        *,
        from_json(fields, '{"leads": ["json"]}').leads as leads,
        from_json(fields, '{"leads": [{"id": "varchar", "?key": "varchar"}]}').leads as ids,
        from_json(coalesce(record -> '$.leads', record -> '$.Leads', record -> '$.LEADS'), '["json"]') as written
    from shown
),
received as (
    select
        *,
        list_filter(written, lambda lead: json_type(lead) = 'OBJECT') as received
    from lists
),
listed as (
    select
        sync_id, feed, read_at, page, place, external_contact_id, reading_no,
        unnest(leads) as fields,
        unnest(ids) as lead,
        unnest(case when len(received) = len(leads) then received else leads end) as record,
        generate_subscripts(leads, 1)::integer as lead_place
    from received
)
select * exclude (lead), lead.id as external_id, coalesce(lead."?key", lead.id) as lead_key from listed;

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
