-- SPEC M3: what the last merge did, in one row.
with last_merge as (from pipeline.merges order by rowid desc limit 1)
select
    m.readings, m.triggered, m.inserted, m.updated, m.unchanged, m.stale, m.rejected, m.held, m.gone, m.returned,
    (select count(*) from new_calls) as new_calls
from last_merge as m;
