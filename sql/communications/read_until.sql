-- SPEC C5, R7: until when each of these feeds has been read, the one that is furthest behind. Parameter: feeds.
select min(read_until)
from (
    select f.feed, coalesce(max(s.window_to), timestamptz '1970-01-01') as read_until
    from (select unnest($feeds::varchar[]) as feed) as f
    left join sync_runs as s on s.feed = f.feed and s.watermark_moved
    group by f.feed
);
