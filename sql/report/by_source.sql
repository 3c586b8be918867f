-- SPEC E8: new leads of the last 30 days by source, and how many of them have an appointment; the ten most frequent sources,
-- and all others together.
with clock as (select timezone(leadperfection_timezone, published_at)::date as today from published),
entered as (
    select
        l.external_id,
        any_value(coalesce(nullif(trim(l.source), ''), '(no source)')) as name,
        bool_or(coalesce(l.appointment_set, false)) as is_set
    from leads as l cross join clock as c
    where l.entered_at >= c.today - 29 and l.entered_at < c.today + 1
    group by l.external_id
),
counted as (
    select name, count(*) as number, count(*) filter (is_set) as appointments from entered group by name
),
ranked as (
    select *, row_number() over (order by number desc, name) as place from counted
)
select
    case when place <= 10 then name else 'other' end as name,
    sum(number)::bigint as number,
    sum(appointments)::bigint as appointments
from ranked
group by case when place <= 10 then name else 'other' end, place > 10
order by min(place);
