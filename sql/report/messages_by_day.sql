-- SPEC E8: what went through Hatch on each of the last 30 days of the account, in both directions.
with clock as (
    select leadperfection_timezone as zone, timezone(leadperfection_timezone, published_at)::date as today from published
),
days as (select unnest(generate_series(today - 29, today, interval 1 day))::date as day from clock),
happened as (
    select
        timezone(c.zone, m.occurred_at)::date as day,
        count(*) filter (m.channel = 'text') as texts,
        count(*) filter (m.channel = 'email') as emails,
        count(*) filter (m.channel = 'call') as calls,
        count(*) as number
    from communications as m cross join clock as c
    where timezone(c.zone, m.occurred_at)::date >= c.today - 29
    group by day
)
select
    d.day,
    coalesce(h.number, 0) as number,
    coalesce(h.texts, 0) as texts,
    coalesce(h.emails, 0) as emails,
    coalesce(h.calls, 0) as calls
from days as d left join happened as h on h.day = d.day
order by d.day;
