-- SPEC E8: new leads on each of the last 30 days of the account, today's included; 0 on a day without any.
with clock as (select timezone(leadperfection_timezone, published_at)::date as today from published),
days as (select unnest(generate_series(today - 29, today, interval 1 day))::date as day from clock),
entered as (
    select l.entered_at::date as day, count(distinct l.external_id) as leads
    from leads as l cross join clock as c
    where l.entered_at >= c.today - 29 and l.entered_at < c.today + 1
    group by l.entered_at::date
)
select d.day, coalesce(e.leads, 0) as number
from days as d left join entered as e on e.day = d.day
order by d.day;
