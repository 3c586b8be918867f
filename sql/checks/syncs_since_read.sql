-- In how many consecutive syncs, up to now, a feed could not be read. Variable: feed.
with syncs as (
    select sync_id, arg_max(failure, rowid) filter (failure is not null) as failure
    from sync_runs
    where feed = getvariable('feed') and kind = 'sync'
    group by sync_id
)
select count(*) as syncs
from syncs
where sync_id > coalesce((select max(sync_id) from syncs where failure is null), -1);
