-- SPEC E4: log entries to replay, in order, each with the settings of its sync and the availability used when it was
-- staged. Variable: done (the last entry replayed so far).
select
    l.entry_no,
    l.event,
    l.sync_id,
    l.happened_at as now_at,
    coalesce(l.chosen, []) as chosen,
    s.settings ->> '$.lp_timezone' as zone,
    coalesce(l.availability, s.settings ->> '$.lp_availability') as availability,
    (s.settings ->> '$.lp_held_after')::integer as held_after,
    from_json(s.settings -> '$.lp_ignore_fields', '["varchar"]') as ignored
from live.pipeline.merge_log as l inner join live.pipeline.syncs as s using (sync_id)
where l.entry_no > getvariable('done')
order by l.entry_no;
