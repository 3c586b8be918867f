-- How many opportunities' prospects were entered in LeadPerfection on each of the last 30 days, in its own calendar; days
-- without any are 0. By the day of entry, so that a first load or a backfill makes no peak. Variables: now_at, zone.
with days as (
    select unnest(generate_series(0, 29)) as ago
),
calendar as (
    select timezone(getvariable('zone'), getvariable('now_at')::timestamptz)::date - (29 - ago)::integer as day from days
)
select c.day, count(o.external_contact_id) as entered
from calendar as c
left join opportunities as o
    on o.external_created_local >= c.day and o.external_created_local < c.day + 1 and o.gone_since is null
group by c.day
order by c.day;
