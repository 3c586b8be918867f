-- From which status to which did opportunities move lately, and how often?
-- Parameter days: how many days, instead of 7
select
    coalesce(c.old_value, '(none)') as from_status,
    coalesce(c.new_value, '(none)') as to_status,
    count(*) as changes,
    count(distinct c.external_contact_id) as contacts
from opportunity_changes as c cross join published as p
where
    c.column_name = 'status'
    and c.changed_at > p.published_at - to_days(coalesce(getvariable('days')::integer, 7))
group by from_status, to_status
order by changes desc, from_status, to_status;
