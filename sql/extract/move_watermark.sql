-- A feed is read up to another instant (SPEC W1). Parameters: feed, to.
update pipeline.watermarks set watermark = $to where feed = $feed
