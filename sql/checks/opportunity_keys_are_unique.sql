-- SPEC M1: keys that appear more than once in opportunities.
select external_contact_id, external_id, external_created_local, count(*) as times
from opportunities
group by all
having count(*) > 1;
