-- SPEC S1: how many changes that LP had not announced a sweep's merge found, by field. Variable: sync_id.
select field, count(*) as changes
from unannounced_changes
where sync_id = getvariable('sync_id')
group by field
order by changes desc, field;
