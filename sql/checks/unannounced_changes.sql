-- SPEC S1: number of changes found by a sweep's merge that LeadPerfection's timestamps did not show, by field.
-- Variable: sync_id.
select field, count(*) as changes
from unannounced_changes
where sync_id = getvariable('sync_id')
group by field
order by changes desc, field;
