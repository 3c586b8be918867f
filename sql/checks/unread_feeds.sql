-- Feeds whose last sync failed to read them, and why (SPEC W8); a feed that was never read has no row in the ledger.
-- Variable: feeds, the names of those that are on.
with feeds as (
    select unnest(getvariable('feeds')::varchar[]) as feed
),

last_pieces as (
    select feed, sync_id, failure, failure_kind
    from sync_runs
    where kind = 'sync'
    qualify row_number() over (partition by feed order by sync_id desc, rowid desc) = 1
)

select
    f.feed,
    case when p.feed is null then 'it was never read' else p.failure end as failure,
    p.failure_kind,
    p.sync_id
from feeds as f left join last_pieces as p using (feed)
where p.feed is null or p.failure is not null
order by f.feed
