-- What a sync of a feed begins with (SPEC W1, W2, W4), and the newest window of the ledger that ends by now, in case
-- that the watermark is later. Parameters: feed, now, page_size.
select
    w.watermark,
    w.piece_limit,
    exists (select 1 from pipeline.full_pages where page_size = $page_size) as full_page_seen,
    (
        select max(r.window_to) from sync_runs as r
        where r.feed = $feed and r.watermark_moved and r.window_to <= $now
    ) as earlier
from pipeline.watermarks as w
where w.feed = $feed
