-- Which appointments are ahead, with whom, and are they confirmed? Times are the account's.
-- Parameter days: how many days, instead of 7
select
    a.appointment_at,
    a.disposition,
    l.sales_rep,
    l.source,
    r.city,
    a.external_contact_id,
    a.external_id
from appointments as a
cross join published as p
left join leads as l on l.external_contact_id = a.external_contact_id and l.external_id = a.external_id
left join prospects as r on r.external_contact_id = a.external_contact_id
where
    a.appointment_at > timezone(p.leadperfection_timezone, p.published_at)
    and a.appointment_at
    <= timezone(p.leadperfection_timezone, p.published_at) + to_days(coalesce(getvariable('days')::integer, 7))
order by a.appointment_at, a.external_contact_id, a.appointment_id;
