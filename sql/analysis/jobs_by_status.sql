-- Where do sold jobs stand, how much are they worth, and how long ago were they signed?
-- Parameter days: jobs signed in how many days, instead of 365
select
    coalesce(j.job_status, '(none)') as job_status,
    count(*) as jobs,
    sum(j.gross_amount) as gross_amount,
    round(median(date_diff('day', j.contract_date::date, timezone(p.leadperfection_timezone, p.published_at)::date)), 1)
        as median_days_since_contract
from jobs as j cross join published as p
where
    j.contract_date > timezone(p.leadperfection_timezone, p.published_at) - to_days(coalesce(getvariable('days')::integer, 365))
group by coalesce(j.job_status, '(none)')
order by jobs desc, job_status;
