-- How many opportunities were last updated on each day, by the account's time zone? A date without a conversion would
-- be that of the session's time zone, and so another day for what happened in the evening.
select
    timezone(p.leadperfection_timezone, o.external_updated_at)::date as updated_on,
    count(*) as opportunities,
    count(*) filter (o.status = 'Sold') as sold
from opportunities as o cross join published as p
where o.gone_since is null
group by updated_on
order by updated_on desc;
