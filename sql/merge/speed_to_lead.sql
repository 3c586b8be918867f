-- SPEC E6: when LeadPerfection stamped each opportunity that this merge inserts: the earliest stamp of the lead, or else of
-- its prospect, inside the windows that were read. Left out is what only a backfill or sweep has read, what the very
-- first merge inserts, for it was there before anybody waited for it, and what has no stamp in a window: how long that took
-- is not known. Variables: zone, sync_id.
insert into pipeline.speed_to_lead
with windows as (
    select
        contact_key,
        timezone(getvariable('zone'), min(sent_from)) as window_from,
        timezone(getvariable('zone'), max(sent_to)) as window_to
    from pipeline.unmerged
    where not is_history and queue_no <= (select max(last_queue_no) from pipeline.batch)
    group by contact_key
),
stamps as materialized (
    select
        o.external_contact_id, o.external_id, o.external_created_local,
        w.window_from, w.window_to,
        pipeline.lp_instant(l.dateentered, getvariable('zone')) as entered_at,
        o.lead_changed_at, o.external_created_at, o.external_updated_at
    from outcomes as o
    inner join windows as w on w.contact_key = o.contact_key
    left join pipeline.current_leads as l on l.contact_key = o.contact_key and l.lead_key = o.lead_key
    where o.outcome = 'inserted' and exists (select 1 from pipeline.merges)
),
stamped as (
    select
        *,
        coalesce(
            least(
                case when entered_at between window_from and window_to then entered_at end,
                case when lead_changed_at between window_from and window_to then lead_changed_at end
            ),
            least(
                case when external_created_at between window_from and window_to then external_created_at end,
                case when external_updated_at between window_from and window_to then external_updated_at end
            )
        ) as stamped_at
    from stamps
)
select external_contact_id, external_id, external_created_local, getvariable('sync_id'), stamped_at, null
from stamped
where stamped_at is not null;
