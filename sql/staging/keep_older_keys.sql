-- SPEC J1: fields that only older readings have, with the time at which a date among them was read.
-- Parameters: one list per column.
insert into older_keys
with found as (
    select
        unnest($contact::varchar[]) as contact_key,
        unnest($keys::varchar[])::json as older_keys,
        unnest($numbers::varchar[])::json as older_numbers
)
select
    f.*,
    c.read_at as created_read_at,
    u.read_at as updated_read_at
from found as f
left join raw.readings as c on c.reading_no = (f.older_numbers ->> '$.dateadded')::bigint
left join raw.readings as u on u.reading_no = (f.older_numbers ->> '$.lastchanged')::bigint
