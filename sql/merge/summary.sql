-- SPEC M3: what the last merge did, in one row.
-- `new_rejections`: records that were not rejected before.
with last_merge as (from pipeline.merges order by rowid desc limit 1)
select
    m.readings, m.triggered, m.inserted, m.updated, m.unchanged, m.stale, m.rejected, m.held, m.gone, m.returned,
    (select count(*) from new_calls) as new_calls,
    (
        select count(*)
        from rejections as n inner join rejected_records as r using (contact_key, combination, lead_key)
        where r.attempts = 1
    ) as new_rejections
from last_merge as m;
