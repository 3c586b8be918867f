-- SPEC W1: a feed's watermark; no row before its first sync. Parameter: feed.
select watermark from pipeline.watermarks where feed = $feed
