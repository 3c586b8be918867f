-- SPEC J1: prospects with a merged reading that has a key which the newest one lacks, with all their readings.
create temp table older_keys (
    contact_key varchar, older_keys json, older_numbers json, created_read_at timestamptz, updated_read_at timestamptz
);

with merged as (
    select contact_key, max(reading_no) as reading_no from pipeline.merged group by contact_key
),
newest as (
    select m.contact_key, m.reading_no, r.key_bits
    from merged as m inner join raw.readings as r using (reading_no)
),
lacking as (
    select distinct n.contact_key
    from raw.readings as r inner join newest as n using (contact_key)
    where r.reading_no < n.reading_no and ((r.key_bits & ~n.key_bits) <> 0 or r.key_bits >= 1::hugeint << 120)
)
select
    r.contact_key,
    list((r.reading_no, coalesce(r.normal, r.record)::varchar)) as readings,
    null::varchar as older_keys,
    null::varchar as older_numbers
from raw.readings as r
inner join newest as n on n.contact_key = r.contact_key and r.reading_no <= n.reading_no
where r.contact_key in (select contact_key from lacking)
group by r.contact_key;
