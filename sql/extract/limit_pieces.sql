-- SPEC W2: maximum length of a piece of this feed; null for the default. Parameters: feed, length.
update pipeline.watermarks set piece_limit = $length where feed = $feed and piece_limit is distinct from $length
