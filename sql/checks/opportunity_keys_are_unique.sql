-- SPEC M1: keys that the table holds more than once.
select external_contact_id, external_id, external_created_local, count(*) as times
from opportunities
group by all
having count(*) > 1;
