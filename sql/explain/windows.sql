-- SPEC E1: the time that each feed has been read for, and when it was read last.
select
    feed,
    min(window_from) as read_from,
    max(window_to) as read_to,
    max(ended_at) as last_read_at
from sync_runs
where outcome in ('read', 'empty')
group by feed
order by feed;
