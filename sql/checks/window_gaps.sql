-- SPEC W6: time ranges between a feed's first window and its watermark that no window covers. A backfill can fill a
-- gap, and can be ahead of the syncs.
with begun as (
    select feed, min(window_from) as begun_at, max(window_to) as read_to
    from sync_runs
    where watermark_moved
    group by feed
),
covered as (
    select
        feed,
        read_to,
        window_from,
        max(window_to) over (
            partition by feed order by window_from, window_to rows between unbounded preceding and 1 preceding
        ) as covered_to
    from sync_runs inner join begun using (feed)
    where watermark_moved or (kind = 'backfill' and outcome in ('read', 'empty') and window_to >= begun_at)
)
select feed, covered_to as gap_from, window_from as gap_to
from covered
where window_from > covered_to and covered_to < read_to
order by feed, gap_from;
