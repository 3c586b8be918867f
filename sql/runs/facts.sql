-- SPEC E7: what a run leaves for `lp-pipeline status`, which never opens work.duckdb; one row.
with last_sync as (
    select max(sync_id) as sync_id from sync_runs where kind = 'sync'
),
read_by_it as (
    select feed, sum(readings)::bigint as readings
    from sync_runs
    where kind = 'sync' and sync_id = (select sync_id from last_sync)
    group by feed
),
merged_by_it as (
    select coalesce(sum(inserted), 0)::bigint as inserted, coalesce(sum(updated), 0)::bigint as updated
    from pipeline.merges
    where sync_id = (select sync_id from last_sync)
)
select
    (select sync_id from last_sync) as sync_id,
    coalesce((select map_from_entries(list((feed, readings) order by feed)) from read_by_it), map {}) as readings,
    (select inserted from merged_by_it) as inserted,
    (select updated from merged_by_it) as updated,
    coalesce(
        (select map_from_entries(list((feed, watermark) order by feed)) from pipeline.watermarks), map {}
    ) as watermarks,
    (select count(*) from opportunities) as opportunities,
    (select max(published_at) from pipeline.publication) as published_at,
    (select count(*) from held_opportunities where state = 'held') as held,
    (
        select count(distinct (external_contact_id, external_id, external_created_local))
        from pipeline.due_deliveries
        where reason <> 'gone'
    ) as deliveries_due;
