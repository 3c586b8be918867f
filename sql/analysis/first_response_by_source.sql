-- How soon does somebody reach out to a new lead: the first outbound text, email or call in Hatch, or call in LeadPerfection,
-- after it was entered? LeadPerfection shows calls for a week only, so older calls may be missing.
-- Parameter days: how many days, instead of 30
with matched as (
    select communication_id, max(external_contact_id) as external_contact_id from communication_pushes group by communication_id
),
delivered as (
    select hatch_contact_id, max(external_contact_id) as external_contact_id
    from hatch_deliveries
    group by hatch_contact_id
    having count(distinct external_contact_id) = 1
),
touches as (
    select
        coalesce(m.external_contact_id, c.external_contact_id, d.external_contact_id) as external_contact_id,
        c.occurred_at as touched_at
    from communications as c
    left join matched as m on m.communication_id = c.communication_id
    left join delivered as d on d.hatch_contact_id = c.contact_id
    where c.direction = 'outbound'
    union all
    select c.external_contact_id, timezone(p.leadperfection_timezone, c.called_at) from calls as c cross join published as p
),
entered as (
    select
        l.external_contact_id, l.external_id, coalesce(l.source, '(none)') as source,
        timezone(p.leadperfection_timezone, l.entered_at) as entered_at
    from leads as l cross join published as p
    where l.entered_at > timezone(p.leadperfection_timezone, p.published_at) - to_days(coalesce(getvariable('days')::integer, 30))
),
responses as (
    select e.external_contact_id, e.external_id, e.source, min(epoch(t.touched_at) - epoch(e.entered_at)) / 60 as minutes
    from entered as e
    left join touches as t on t.external_contact_id = e.external_contact_id and t.touched_at >= e.entered_at
    group by all
)
select
    source,
    count(*) as leads,
    count(minutes) as reached_out_to,
    round(median(minutes), 1) as median_minutes,
    round(100.0 * count(*) filter (minutes <= 5) / count(*), 1) as within_5_minutes_percent,
    round(100.0 * count(*) filter (minutes <= 60) / count(*), 1) as within_an_hour_percent,
    round(100.0 * count(*) filter (minutes <= 1440) / count(*), 1) as within_a_day_percent
from responses
group by source
order by leads desc, source;
