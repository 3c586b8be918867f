-- What changed in the last 24 hours, and how often?
select
    coalesce(column_name, 'new opportunity') as what,
    count(*) as changes,
    count(distinct external_contact_id) as contacts,
    max(changed_at) as last_at
from opportunity_changes
where changed_at > (select max(published_at) from published) - interval 24 hours
group by what
order by changes desc;
