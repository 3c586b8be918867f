-- SPEC W1: move a feed's watermark. Parameters: feed, to.
update pipeline.watermarks set watermark = $to where feed = $feed
