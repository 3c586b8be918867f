-- Which lead sources brought in leads, appointments and sales in the last 90 days?
select
    source,
    count(*) as leads,
    count(*) filter (appointment_set) as with_appointment,
    count(*) filter (sold) as sold,
    round(100.0 * count(*) filter (sold) / count(*), 1) as sold_percent,
    sum(gross_sale_amount) filter (sold) as gross_sales
from leads
where entered_at > current_timestamp::timestamp - interval 90 days
group by source
order by leads desc;
