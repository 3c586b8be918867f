-- Which fields LeadPerfection changed without moving a change stamp, over all sweeps so far.
select field, count(*) as changes, max(found_at) as last_found
from unannounced_changes
group by field
order by changes desc, field;
