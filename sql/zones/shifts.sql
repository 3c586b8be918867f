-- SPEC J5: how DuckDB reads a time zone: whenever its offset is another one than before, the instant and the offset, both
-- in seconds. To a quarter of an hour; no zone changes its clock twice a day.
with days as (
    select unnest(generate_series($begin::timestamptz, $end::timestamptz, interval 1 day)) as day
),
day_offsets as (
    select day, epoch(timezone($zone, day)) - epoch(day) as day_offset from days
),
changing_days as (
    select lag(day) over (order by day) as day
    from day_offsets
    qualify day_offset <> lag(day_offset) over (order by day)
),
moments as (
    select $begin::timestamptz as moment
    union all
    select unnest(generate_series(day, day + interval 1 day, interval 15 minutes)) as moment from changing_days
),
shifts as (
    select moment, epoch(timezone($zone, moment)) - epoch(moment) as shift from moments
)
select epoch(moment)::bigint, shift::integer
from shifts
qualify shift is distinct from lag(shift) over (order by moment)
order by moment;
