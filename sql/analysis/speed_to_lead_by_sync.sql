-- How long did the new opportunities of each sync take from LeadPerfection's stamp to the first publication? Times are in the
-- account's time zone.
-- Parameter syncs: how many syncs that added something, instead of 20
select
    s.sync_id,
    timezone(p.leadperfection_timezone, min(s.published_at)) as published_at,
    count(*) as opportunities,
    round(quantile_cont(s.seconds, 0.5) / 60, 1) as p50_minutes,
    round(quantile_cont(s.seconds, 0.95) / 60, 1) as p95_minutes,
    round(max(s.seconds) / 60, 1) as slowest_minutes
from speed_to_lead as s cross join published as p
group by s.sync_id, p.leadperfection_timezone
order by s.sync_id desc
limit coalesce(getvariable('syncs')::integer, 20);
