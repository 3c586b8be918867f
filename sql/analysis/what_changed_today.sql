-- What changed in the 24 hours before the data was published, and how often? Times are in the account's time zone.
select
    coalesce(c.column_name, 'new opportunity') as what,
    count(*) as changes,
    count(distinct c.external_contact_id) as contacts,
    timezone(p.leadperfection_timezone, max(c.changed_at)) as last_at
from opportunity_changes as c cross join published as p
where c.changed_at > p.published_at - interval 24 hours
group by what, p.leadperfection_timezone
order by changes desc, what;
