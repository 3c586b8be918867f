-- How fast do new leads of each source get here, from LeadPerfection's stamp to the first publication? Backfills and sweeps
-- are left out.
-- Parameter days: how many days, instead of 90
select
    coalesce(l.source, '(none)') as source,
    count(*) as leads,
    round(quantile_cont(s.seconds, 0.5) / 60, 1) as p50_minutes,
    round(quantile_cont(s.seconds, 0.95) / 60, 1) as p95_minutes,
    round(100.0 * count(*) filter (s.seconds <= 300) / count(*), 1) as within_5_minutes_percent,
    round(100.0 * count(*) filter (s.seconds <= 900) / count(*), 1) as within_15_minutes_percent
from speed_to_lead as s
inner join leads as l on l.external_contact_id = s.external_contact_id and l.external_id = s.external_id
cross join published as p
where s.published_at > p.published_at - to_days(coalesce(getvariable('days')::integer, 90))
group by all
order by leads desc, source;
