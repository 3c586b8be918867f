-- How many leads came in on each day, and what became of them? Days are the account's.
-- Parameter days: how many days, instead of 30
select
    l.entered_at::date as day,
    dayname(l.entered_at::date) as weekday,
    count(*) as leads,
    count(*) filter (l.appointment_set) as set,
    count(*) filter (l.sold) as sold,
    round(100.0 * count(*) filter (l.appointment_set) / count(*), 1) as set_percent
from leads as l cross join published as p
where l.entered_at > timezone(p.leadperfection_timezone, p.published_at) - to_days(coalesce(getvariable('days')::integer, 30))
group by l.entered_at::date
order by day desc;
