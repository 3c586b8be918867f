-- SPEC W2: start a backfill of these days. Parameters: first, last, now.
insert into pipeline.backfills by name select $first as first_day, $last as last_day, $now as started_at
