-- SPEC D1: queue what this merge changed for delivery to Hatch, in the same transaction, so that a crash in between
-- loses nothing. Nothing is queued without a Hatch key (is_delivering.sql). Records that only a backfill or sweep
-- has read are history: an insert is not delivered, an update is if the opportunity was delivered before.
-- Variables: now_at, sync_id.
insert into pipeline.due_deliveries
with history as (
    select contact_key from pipeline.batch group by contact_key having bool_and(is_history)
)
select
    o.external_contact_id,
    o.external_id,
    o.external_created_local,
    case when h.contact_key is not null then 'history' else o.outcome end,
    getvariable('sync_id'),
    getvariable('now_at')
from outcomes as o left join history as h on h.contact_key = o.contact_key
where o.outcome = 'updated' or (o.outcome = 'inserted' and h.contact_key is null)
union all
select distinct external_contact_id, null, null::timestamp, 'gone', getvariable('sync_id'), getvariable('now_at')
from presence;
