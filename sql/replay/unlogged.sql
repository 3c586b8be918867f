-- SPEC E4: number of merges from before the merge log existed, and the time of the last one. `live` is a copy of the
-- data. Variable: base_sync (the last one in the state that a replay begins with, or null).
select count(*), max(m.merged_at)
from live.pipeline.merges as m
where
    m.sync_id > coalesce(getvariable('base_sync')::bigint, 0)
    and not exists (
        select 1 from live.pipeline.merge_log as l
        where l.event = 'merge' and l.sync_id = m.sync_id and l.happened_at = m.merged_at
    );
