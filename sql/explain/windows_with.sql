-- SPEC E1: the last window of each feed that contained an instant when it was read. Parameter: instant.
select feed, arg_max(window_from, ended_at), arg_max(window_to, ended_at), max(ended_at)
from sync_runs
where outcome in ('read', 'empty') and $instant between window_from and least(window_to, ended_at)
group by feed
order by feed;
