-- SPEC E4: what is to be done again, in order, each with the settings of its sync (and the availability that its staging
-- had). Variable: done (the last entry that is done already).
select
    l.entry_no,
    l.event,
    l.sync_id,
    l.happened_at as now_at,
    coalesce(l.chosen, []) as chosen,
    s.settings ->> '$.lp_timezone' as zone,
    coalesce(l.availability, s.settings ->> '$.lp_availability') as availability,
    (s.settings ->> '$.lp_held_after')::integer as held_after
from live.pipeline.merge_log as l inner join live.pipeline.syncs as s using (sync_id)
where l.entry_no > getvariable('done')
order by l.entry_no;
