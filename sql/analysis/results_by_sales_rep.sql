-- What do the sales representatives make of their leads: appointments that took place, sales, and what a sale brings?
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
        coalesce(l.sales_rep, '(none)') as sales_rep,
        coalesce(l.sold, false) as sold,
        coalesce(l.appointment_at < timezone(p.leadperfection_timezone, p.published_at), false) as is_past,
        k.external_id is not null as sat,
        l.gross_sale_amount
    from leads as l
    cross join published as p
    left join kept as k on k.external_contact_id = l.external_contact_id and k.external_id = l.external_id
    where
        l.entered_at
        > timezone(p.leadperfection_timezone, p.published_at) - to_days(coalesce(getvariable('days')::integer, 365))
)
select
    sales_rep,
    count(*) as leads,
    count(*) filter (is_past or sat or sold) as past_appointments,
    count(*) filter (sat or sold) as sat,
    count(*) filter (sold) as sold,
    round(100.0 * count(*) filter (sold) / nullif(count(*) filter (sat or sold), 0), 1) as close_percent,
    sum(gross_sale_amount) filter (sold) as gross_sales,
    round(avg(gross_sale_amount) filter (sold), 2) as average_sale
from seen
group by sales_rep
order by gross_sales desc nulls last, sales_rep;
