-- SPEC E6, E8: of the new opportunities first published in each of the last 8 weeks (from Monday, the account's), how many were
-- published within 5, 15 and 60 minutes of LeadPerfection's stamp.
with clock as (
    select leadperfection_timezone as zone, timezone(leadperfection_timezone, published_at)::date as today from published
)
select
    date_trunc('week', timezone(c.zone, s.published_at))::date as week,
    count(*) as number,
    count(*) filter (s.seconds <= 300) as within_5,
    count(*) filter (s.seconds <= 900) as within_15,
    count(*) filter (s.seconds <= 3600) as within_60
from speed_to_lead as s cross join clock as c
where timezone(c.zone, s.published_at) >= date_trunc('week', c.today) - interval 7 weeks
group by week
order by week;
