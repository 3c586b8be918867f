-- Store converted readings. Parameters: one list per column.
insert into raw.readings by name
with converted as (
    select
        unnest($no::bigint[]) as reading_no,
        unnest($record::varchar[]) as record,
        unnest($normal::varchar[]) as normal,
        unnest($bits::varchar[])::hugeint as key_bits
)
select o.* exclude (record), c.record, c.normal, c.key_bits
from converted as c inner join old_readings as o using (reading_no)
