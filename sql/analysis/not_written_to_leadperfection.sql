-- Which communications from Hatch are not in LeadPerfection, and why? Times are in the account's time zone.
-- Parameter days: communications of how many days, instead of 90
select
    u.target,
    u.state,
    u.reason,
    u.words,
    count(*) as communications,
    timezone(p.leadperfection_timezone, min(c.occurred_at)) as oldest,
    list(u.communication_id order by c.occurred_at desc, u.communication_id)[1:3] as examples
from communication_pushes as u
inner join communications as c on c.communication_id = u.communication_id
cross join published as p
where u.state <> 'sent' and c.occurred_at > p.published_at - to_days(coalesce(getvariable('days')::integer, 90))
group by u.target, u.state, u.reason, u.words, p.leadperfection_timezone
order by communications desc, u.target, u.state, u.reason, u.words;
