-- Which appointments took place without a sale, a month to a year ago? Leads to call again, the latest first; contacts with a
-- newer lead or a sale are left out.
-- Parameter from_days: at least how many days ago, instead of 30
-- Parameter to_days: at most how many days ago, instead of 365
-- Parameter sat: how dispositions of appointments that took place begin, instead of Sit
with kept as (
    select external_contact_id, external_id from appointments
    where starts_with(lower(disposition), lower(coalesce(getvariable('sat')::varchar, 'Sit')))
    union
    select external_contact_id, external_id from leads
    where starts_with(lower(disposition), lower(coalesce(getvariable('sat')::varchar, 'Sit')))
),
dated as (
    select
        l.*,
        date_diff('day', l.appointment_at::date, timezone(p.leadperfection_timezone, p.published_at)::date) as days_ago
    from leads as l
    inner join kept as k on k.external_contact_id = l.external_contact_id and k.external_id = l.external_id
    cross join published as p
)
select d.external_contact_id, d.external_id, d.source, d.sales_rep, d.disposition, d.appointment_at, d.days_ago
from dated as d
where
    d.days_ago
    between coalesce(getvariable('from_days')::integer, 30) and coalesce(getvariable('to_days')::integer, 365)
    and not exists (
        select 1 from leads as other
        where
            other.external_contact_id = d.external_contact_id
            and (other.sold or other.entered_at > d.appointment_at)
    )
order by d.days_ago, d.external_contact_id, d.external_id;
