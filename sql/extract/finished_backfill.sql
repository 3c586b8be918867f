-- When a backfill of these days last came to its end; null if none did. Parameters: first, last.
select max(finished_at) as finished_at from pipeline.backfills where first_day = $first and last_day = $last
