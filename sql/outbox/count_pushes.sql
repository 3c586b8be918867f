-- Pushes by target, state and reason.
select target, state, reason, count(*) as number
from communication_pushes
group by target, state, case when state in ('skipped', 'unmatched', 'uncertain', 'failed') then reason end
order by target, state;
