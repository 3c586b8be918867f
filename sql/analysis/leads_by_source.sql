-- Which lead sources brought in leads, appointments and sales in the 90 days before the data was published?
select
    l.source,
    count(*) as leads,
    count(*) filter (l.appointment_set) as with_appointment,
    count(*) filter (l.sold) as sold,
    round(100.0 * count(*) filter (l.sold) / count(*), 1) as sold_percent,
    sum(l.gross_sale_amount) filter (l.sold) as gross_sales
from leads as l cross join published as p
where l.entered_at > timezone(p.leadperfection_timezone, p.published_at) - interval 90 days
group by l.source
order by leads desc, l.source;
