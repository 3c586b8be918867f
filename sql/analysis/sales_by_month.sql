-- How many jobs were sold in each month, and for how much? By contract date.
-- Parameter months: how many months, instead of 12
select
    strftime(j.contract_date, '%Y-%m') as month,
    count(*) as jobs,
    sum(j.gross_amount) as gross_sales,
    round(avg(j.gross_amount), 2) as average_job,
    round(median(date_diff('day', l.entered_at::date, j.contract_date::date)), 1) as median_days_from_lead
from jobs as j
left join leads as l on l.external_contact_id = j.external_contact_id and l.external_id = j.external_id
cross join published as p
where
    j.contract_date
    >= date_trunc('month', timezone(p.leadperfection_timezone, p.published_at))
    - to_months(coalesce(getvariable('months')::integer, 12) - 1)
group by month
order by month desc;
