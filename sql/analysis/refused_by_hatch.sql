-- What did Hatch refuse, or could not be sent to it, and why? Times are in the account's time zone.
select
    d.state,
    d.error_code,
    d.error_field,
    d.words,
    count(*) as opportunities,
    timezone(p.leadperfection_timezone, min(d.updated_at)) as since,
    list(d.external_contact_id order by d.updated_at desc, d.external_contact_id)[1:5] as examples
from hatch_deliveries as d cross join published as p
where d.state <> 'delivered'
group by d.state, d.error_code, d.error_field, d.words, p.leadperfection_timezone
order by opportunities desc, d.state, d.error_code, d.error_field, d.words;
