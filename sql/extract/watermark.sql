-- Up to when a feed is read (SPEC W1); no row before its first sync. Parameter: feed.
select watermark from pipeline.watermarks where feed = $feed
