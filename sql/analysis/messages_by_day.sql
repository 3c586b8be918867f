-- How many texts, emails and calls went through Hatch on each day, and how many were answered by customers? Days are the account's.
-- Parameter days: how many days, instead of 14
select
    timezone(p.leadperfection_timezone, c.occurred_at)::date as day,
    count(*) filter (c.channel = 'text' and c.direction = 'outbound') as texts_out,
    count(*) filter (c.channel = 'text' and c.direction = 'inbound') as texts_in,
    count(*) filter (c.channel = 'email') as emails,
    count(*) filter (c.channel = 'call') as calls,
    count(distinct c.contact_id) as contacts
from communications as c cross join published as p
where
    timezone(p.leadperfection_timezone, c.occurred_at)::date
    > timezone(p.leadperfection_timezone, p.published_at)::date - coalesce(getvariable('days')::integer, 14)
group by day
order by day desc;
