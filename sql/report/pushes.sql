-- SPEC E8: communications on their way into LeadPerfection, by state; those of targets that are switched off are left out.
select state as name, count(*) as number
from communication_pushes
where reason is distinct from 'switched_off'
group by state
order by number desc, name;
