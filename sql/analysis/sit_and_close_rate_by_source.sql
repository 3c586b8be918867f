-- Of each source's leads with a past appointment, how many sat (took place), and how many of those were sold?
-- Parameter days: leads of how many days, instead of 365
-- Parameter sat: how dispositions of appointments that took place begin, instead of Sit
with kept as (
    select external_contact_id, external_id from appointments
    where starts_with(lower(disposition), lower(coalesce(getvariable('sat')::varchar, 'Sit')))
    union
    select external_contact_id, external_id from leads
    where starts_with(lower(disposition), lower(coalesce(getvariable('sat')::varchar, 'Sit')))
),
seen as (
    select
        coalesce(l.source, '(none)') as source,
        coalesce(l.sold, false) as sold,
        coalesce(l.appointment_at < timezone(p.leadperfection_timezone, p.published_at), false) as is_past,
        k.external_id is not null as sat
    from leads as l
    cross join published as p
    left join kept as k on k.external_contact_id = l.external_contact_id and k.external_id = l.external_id
    where
        l.entered_at
        > timezone(p.leadperfection_timezone, p.published_at) - to_days(coalesce(getvariable('days')::integer, 365))
)
select
    source,
    count(*) as leads,
    count(*) filter (is_past or sat or sold) as past_appointments,
    count(*) filter (sat or sold) as sat,
    count(*) filter (sold) as sold,
    round(100.0 * count(*) filter (sat or sold) / nullif(count(*) filter (is_past or sat or sold), 0), 1) as sit_percent,
    round(100.0 * count(*) filter (sold) / nullif(count(*) filter (sat or sold), 0), 1) as close_percent
from seen
group by source
order by leads desc, source;
