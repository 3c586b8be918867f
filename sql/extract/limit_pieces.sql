-- How long a piece of this feed may be (SPEC W2); null for the usual length. Parameters: feed, length.
update pipeline.watermarks set piece_limit = $length where feed = $feed and piece_limit is distinct from $length
