-- How many readings each of a feed's last syncs brought, oldest first, without its very first one: that one may bring all
-- there is, and would flatten the others. Variables: feed.
with syncs as (
    select sync_id, max(ended_at) as ended_at, sum(readings)::bigint as readings
    from sync_runs
    where feed = getvariable('feed') and kind = 'sync'
    group by sync_id
)
select ended_at, readings
from syncs
where sync_id > (select min(sync_id) from syncs)
order by sync_id desc
limit 40;
