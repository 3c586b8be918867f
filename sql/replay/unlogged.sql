-- SPEC E4: how many merges, and since when, are from before there was a log of what they took. `live` is the data's copy.
select count(*), max(m.merged_at)
from live.pipeline.merges as m
where not exists (
    select 1 from live.pipeline.merge_log as l
    where l.event = 'merge' and l.sync_id = m.sync_id and l.happened_at = m.merged_at
);
