-- SPEC E8: the report's first numbers: the day so far, and the last 7 days, each beside the same time last week. A lead that
-- several prospects share counts once. Times are the account's; "now" is the publication.
with clock as (
    select
        published_at,
        leadperfection_timezone as zone,
        timezone(leadperfection_timezone, published_at) as now_local,
        opportunities
    from published
),
recent as (
    select
        l.external_id,
        min(l.entered_at) as entered_at,
        bool_or(coalesce(l.appointment_set, false)) as is_set,
        any_value(c.now_local) as now_local
    from leads as l cross join clock as c
    where l.entered_at > c.now_local - interval 15 days and l.entered_at <= c.now_local
    group by l.external_id
),
entered as (
    select
        count(*) filter (entered_at::date = now_local::date) as today,
        count(*) filter (
            entered_at::date = (now_local - interval 7 days)::date and entered_at <= now_local - interval 7 days
        ) as today_before,
        count(*) filter (entered_at > now_local - interval 7 days) as leads,
        count(*) filter (
            entered_at > now_local - interval 14 days and entered_at <= now_local - interval 7 days
        ) as leads_before,
        count(*) filter (entered_at > now_local - interval 7 days and is_set) as appointments,
        count(*) filter (
            entered_at > now_local - interval 14 days and entered_at <= now_local - interval 7 days and is_set
        ) as appointments_before
    from recent
),
signed as (
    select
        count(distinct j.external_id) filter (j.contract_date::date > c.now_local::date - 7) as sold,
        count(distinct j.external_id) filter (j.contract_date::date <= c.now_local::date - 7) as sold_before
    from jobs as j cross join clock as c
    where j.contract_date::date > c.now_local::date - 14 and j.contract_date::date <= c.now_local::date
),
speeds as (
    select
        median(s.seconds) filter (timezone(c.zone, s.published_at)::date = c.now_local::date) as speed_today,
        median(s.seconds) filter (s.published_at > c.published_at - interval 7 days) as speed,
        median(s.seconds) filter (s.published_at <= c.published_at - interval 7 days) as speed_before
    from speed_to_lead as s cross join clock as c
    where s.published_at > c.published_at - interval 14 days
)
select
    c.published_at, c.zone, c.now_local, c.opportunities,
    e.today, e.today_before, e.leads, e.leads_before, e.appointments, e.appointments_before,
    g.sold, g.sold_before,
    s.speed_today / 60 as speed_today, s.speed / 60 as speed, s.speed_before / 60 as speed_before
from clock as c cross join entered as e cross join signed as g cross join speeds as s;
