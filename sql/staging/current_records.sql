-- SPEC J1: the current state of each prospect in the batch. Each of its fields comes from the latest reading in
-- either feed that has the key. Its leads come from its latest reading in the lead feed, or in the prospect feed if
-- the lead feed has never shown it.
create or replace temp table current_readings as
with known as (
    select feed, contact_key, reading_no, read_at from pipeline.batch where not stale
    union all
    select m.feed, m.contact_key, m.reading_no, m.read_at
    from pipeline.merged as m
    inner join (select distinct contact_key from pipeline.batch) as b on b.contact_key = m.contact_key
)
select feed, contact_key, max(reading_no) as reading_no, arg_max(read_at, {'no': reading_no, 'at': read_at}) as read_at
from known
group by feed, contact_key;

create or replace table pipeline.current_prospects as
with latest as (
    select contact_key, max(reading_no) as reading_no, max_by(read_at, reading_no) as read_at
    from current_readings
    group by contact_key
),
entries as (
    select
        p.contact_key,
        p.reading_no,
        coalesce(c.read_at, p.read_at) as read_at,
        unnest(map_entries(p.fields::map(varchar, json))) as entry,
        p.content::map(varchar, json) as content
    from raw.prospects as p
    left join current_readings as c on c.reading_no = p.reading_no
    where p.contact_key in (select contact_key from latest)
),
-- for each key, the latest reading that has it, even if the value is empty or null
supplied as (
    select contact_key, read_at, entry.key as name, entry.value as field, content[entry.key] as content
    from entries
    qualify row_number() over (partition by contact_key, entry.key order by reading_no desc) = 1
),
collected as (
    select
        contact_key,
        map_from_entries(list({'key': name, 'value': field} order by name)) as fields,
        map_from_entries(list({'key': name, 'value': content} order by name) filter (content is not null)) as content,
        max(read_at) filter (name = 'dateadded') as created_read_at,
        max(read_at) filter (name = 'lastchanged') as updated_read_at
    from supplied
    group by contact_key
)
select
    l.contact_key,
    coalesce(to_json(c.fields), '{}') as prospect,
    coalesce(to_json(c.content), '{}') as prospect_content,
    l.reading_no,
    l.read_at,
    c.created_read_at,
    c.updated_read_at
from latest as l left join collected as c using (contact_key);

create or replace table pipeline.current_leads as
with sources as (
    select contact_key, arg_min(reading_no, feed) as reading_no, arg_min(read_at, feed) as read_at
    from current_readings
    group by contact_key
)
select
    s.contact_key,
    l.lead_key,
    l.external_id,
    l.lead_place,
    l.fields as lead,
    l.content as lead_content,
    s.read_at as lead_read_at
from sources as s inner join raw.leads as l on l.reading_no = s.reading_no
qualify row_number() over (partition by s.contact_key, l.lead_key order by l.lead_place) = 1;
