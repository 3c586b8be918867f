-- SPEC W6: stretches of time, since each feed's first window, that no window covers.
with covered as (
    select
        feed,
        window_from,
        max(window_to) over (
            partition by feed order by window_from, window_to rows between unbounded preceding and 1 preceding
        ) as covered_to
    from sync_runs
    where watermark_moved
)
select feed, covered_to as gap_from, window_from as gap_to
from covered
where window_from > covered_to
order by feed, gap_from;
