-- SPEC E2: how many readings there are, how many were stored by syncs and sweeps in the last 28 days, and over how many
-- days, for an estimate of the room that a year takes. On work.duckdb. Parameter: now_at.
with recent as (
    select coalesce(sum(stored), 0) as stored, min(started_at) as first_at
    from sync_runs
    where kind <> 'backfill' and started_at > $now_at::timestamptz - interval 28 days
)
select
    (select count(*) from raw.readings) as readings,
    stored,
    coalesce(epoch($now_at::timestamptz - first_at) / 86400, 0) as days
from recent;
