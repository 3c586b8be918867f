-- To which new leads did nobody reach out within a day: no outbound text, email or call in Hatch, no call in LeadPerfection?
-- Times are in the account's time zone. Leads that are younger than that are left out.
-- Parameter hours: how many hours, instead of 24
-- Parameter days: leads of how many days, instead of 30
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
due as (
    select
        l.external_contact_id, l.external_id, l.source, l.disposition, l.entered_at,
        timezone(p.leadperfection_timezone, l.entered_at) as from_at,
        timezone(p.leadperfection_timezone, l.entered_at) + to_hours(coalesce(getvariable('hours')::integer, 24)) as to_at,
        p.published_at
    from leads as l cross join published as p
    where l.entered_at > timezone(p.leadperfection_timezone, p.published_at) - to_days(coalesce(getvariable('days')::integer, 30))
)
select
    d.external_contact_id, d.external_id, d.source, d.disposition, d.entered_at,
    floor((epoch(d.published_at) - epoch(d.from_at)) / 3600)::integer as hours_ago
from due as d
where
    d.to_at <= d.published_at
    and not exists (
        select 1 from touches as t
        where t.external_contact_id = d.external_contact_id and t.touched_at between d.from_at and d.to_at
    )
order by d.entered_at desc, d.external_contact_id, d.external_id;
