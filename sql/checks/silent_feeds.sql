-- A feed that has returned nothing for more than a day, while at least eight syncs read something from the other
-- feed. Feeds that are often this quiet (three times in the last 60 days) are left out. Variable: now_at.
with asked as (
    select feed, sync_id, max(ended_at) as ended_at, sum(readings) as readings
    from sync_runs
    where kind = 'sync' and outcome <> 'failed' and ended_at > getvariable('now_at') - interval 60 days
    group by feed, sync_id
),
silences as (
    select feed, ended_at - lag(ended_at) over (partition by feed order by ended_at) as length
    from asked
    where readings > 0
),
quiet as (
    select
        feed,
        coalesce(max(ended_at) filter (readings > 0), min(ended_at)) as silent_since,
        max(ended_at) as last_asked
    from asked
    group by feed
)
select q.feed, o.feed as other_feed, q.silent_since, count(*) as syncs_of_the_other
from quiet as q
inner join asked as o on o.feed <> q.feed and o.readings > 0 and o.ended_at > q.silent_since
where
    q.last_asked > getvariable('now_at') - interval 24 hours
    and q.silent_since < getvariable('now_at') - interval 24 hours
    and (
        select count(*) from silences as s
        where s.feed = q.feed and s.length >= getvariable('now_at') - q.silent_since
    ) < 3
group by all
having count(*) >= 8;
