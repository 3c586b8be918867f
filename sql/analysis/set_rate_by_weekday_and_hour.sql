-- At which hours do leads come in, and how many of them get an appointment? Weekdays and hours are the account's.
-- Parameter days: how many days, instead of 365
select
    dayname(l.entered_at) as weekday,
    hour(l.entered_at) as hour,
    count(*) as leads,
    count(*) filter (l.appointment_set) as set,
    round(100.0 * count(*) filter (l.appointment_set) / count(*), 1) as set_percent
from leads as l cross join published as p
where l.entered_at > timezone(p.leadperfection_timezone, p.published_at) - to_days(coalesce(getvariable('days')::integer, 365))
group by isodow(l.entered_at), dayname(l.entered_at), hour(l.entered_at)
order by isodow(l.entered_at), hour(l.entered_at);
