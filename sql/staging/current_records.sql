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
names as (
    select p.contact_key, p.reading_no, json_keys(p.fields) as names
    from raw.prospects as p inner join latest as l on l.contact_key = p.contact_key and p.reading_no <= l.reading_no
),
-- only here the newest reading is not the whole prospect: an older one has a key that it lacks
thinner as (
    select distinct n.contact_key, n.reading_no, n.names
    from latest as l
    inner join names as n on n.contact_key = l.contact_key and n.reading_no = l.reading_no
    inner join names as o on o.contact_key = l.contact_key and o.reading_no < l.reading_no
    where not list_has_all(n.names, o.names)
),
older as (
    select
        p.contact_key,
        p.reading_no,
        coalesce(c.read_at, p.read_at) as read_at,
        list_filter(
            map_entries(p.fields::map(varchar, json)), lambda entry: not list_contains(t.names, entry.key)
        ) as entries,
        p.content::map(varchar, json) as content
    from raw.prospects as p
    inner join thinner as t on t.contact_key = p.contact_key and p.reading_no < t.reading_no
    left join current_readings as c on c.reading_no = p.reading_no
),
missing as (
    select
        contact_key,
        reading_no,
        read_at,
        unnest(list_transform(
            entries, lambda entry: {'name': entry.key, 'field': entry.value, 'content': content[entry.key]}
        )) as entry
    from older
),
-- for each missing key, the latest reading that has it, even if the value is empty or null
supplied as (
    select contact_key, read_at, entry.name as name, entry.field as field, entry.content as content
    from missing
    qualify row_number() over (partition by contact_key, entry.name order by reading_no desc) = 1
),
collected as (
    select
        contact_key,
        list({'key': name, 'value': field}) as fields,
        coalesce(list({'key': name, 'value': content}) filter (content is not null), []) as content,
        max(read_at) filter (name = 'dateadded') as created_read_at,
        max(read_at) filter (name = 'lastchanged') as updated_read_at
    from supplied
    group by contact_key
)
select
    l.contact_key,
    case
        when c.contact_key is null then json(p.fields)  -- written as `to_json` writes it, for digests are compared
        else to_json(map_from_entries(list_sort(map_entries(p.fields::map(varchar, json)) || c.fields)))
    end as prospect,
    case
        when c.contact_key is null then json(p.content)
        else to_json(map_from_entries(list_sort(map_entries(p.content::map(varchar, json)) || c.content)))
    end as prospect_content,
    l.reading_no,
    l.read_at,
    case when json_exists(p.fields, '$.dateadded') then l.read_at else c.created_read_at end as created_read_at,
    case when json_exists(p.fields, '$.lastchanged') then l.read_at else c.updated_read_at end as updated_read_at
from latest as l
inner join raw.prospects as p on p.reading_no = l.reading_no
left join collected as c on c.contact_key = l.contact_key;

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
