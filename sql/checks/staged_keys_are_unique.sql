-- SPEC M1: keys that are staged more than once.
select external_contact_id, external_id, external_created_local, count(*) as times
from staged_opportunities
where len(missing) = 0
group by all
having count(*) > 1;
