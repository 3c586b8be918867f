-- Which phone numbers belong to several contacts, however they are written? Large families and call centers are among them.
-- Parameter contacts: at least how many contacts, instead of 2
with numbers as (
    select distinct r.external_contact_id, c.form as phone
    from prospects as r inner join internal.contact_points as c on c.kind = 'phone' and c.written = r.phone
    where c.form is not null
)
select
    n.phone,
    count(*) as contacts,
    list(n.external_contact_id order by o.external_updated_at desc, n.external_contact_id)[1:5] as latest_contacts,
    count(*) filter (o.status = 'Sold') as sold
from numbers as n
left join current_opportunities as o on o.external_contact_id = n.external_contact_id
group by n.phone
having count(*) >= coalesce(getvariable('contacts')::integer, 2)
order by contacts desc, n.phone;
