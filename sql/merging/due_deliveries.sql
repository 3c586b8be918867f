-- SPEC D1: what Hatch is to be told of this merge, if a key is set (variable delivering); the delivery takes it from
-- here, so that a crash in between loses nothing. Variables: now_at, sync_id.
insert into pipeline.due_deliveries
select external_contact_id, external_id, external_created_local, outcome, getvariable('sync_id'), getvariable('now_at')
from outcomes
where outcome in ('inserted', 'updated') and getvariable('delivering')
union all
select distinct external_contact_id, null, null::timestamp, 'gone', getvariable('sync_id'), getvariable('now_at')
from presence
where getvariable('delivering');
