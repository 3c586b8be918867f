-- SPEC E8, W8: the feeds that the last sync asked for and could not read, and up to when each has been read.
with last_pieces as (
    select feed, arg_max(outcome, started_at) as outcome, max(window_to) filter (watermark_moved) as read_to
    from sync_runs
    where kind = 'sync'
    group by feed
)
select feed, read_to from last_pieces where outcome = 'failed' order by feed;
