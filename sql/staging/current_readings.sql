-- SPEC J1: the current reading in each feed of every prospect in the batch, and which prospects have readings with a key
-- that the newest one lacks.
create or replace temp table current_readings as
with known as (
    select feed, contact_key, reading_no, read_at from pipeline.batch where not stale
    union all
    select feed, contact_key, reading_no, read_at from known_merged
)
select feed, contact_key, max(reading_no) as reading_no, arg_max(read_at, {'no': reading_no, 'at': read_at}) as read_at
from known
group by feed, contact_key;

create or replace temp table thinner as
with involved as (
    select contact_key, reading_no from current_readings
    union
    select contact_key, reading_no from known_merged
    union
    select contact_key, reading_no
    from pipeline.unmerged
    where queue_no <= (select max(last_queue_no) from pipeline.batch)
),
keyed as (
    select i.contact_key, i.reading_no, r.key_bits
    from raw.readings as r inner join involved as i on i.reading_no = r.reading_no
),
newest as (
    select contact_key, max(reading_no) as reading_no, arg_max(key_bits, reading_no) as key_bits
    from keyed
    group by contact_key
),
lacking as (
    select distinct k.contact_key
    from keyed as k inner join newest as n using (contact_key)
    -- the last bit stands for all names beyond those that have a bit of their own
    where k.reading_no < n.reading_no and ((k.key_bits & ~n.key_bits) <> 0 or k.key_bits >= 1::hugeint << 120)
    union
    select contact_key from pipeline.older_keys where contact_key in (select contact_key from newest)
)
select k.contact_key, k.reading_no from keyed as k semi join lacking as l on l.contact_key = k.contact_key;

create or replace temp table older_keys (
    contact_key varchar, older_keys json, older_numbers json, created_read_at timestamptz, updated_read_at timestamptz
);

-- what Python looks at: these readings, and the fields found before
select
    t.contact_key,
    list((t.reading_no, coalesce(r.normal, r.record)::varchar)) as readings,
    any_value(o.older_keys)::varchar as older_keys,
    any_value(o.older_numbers)::varchar as older_numbers
from raw.readings as r
inner join thinner as t on t.reading_no = r.reading_no
left join pipeline.older_keys as o on o.contact_key = t.contact_key
group by t.contact_key;
