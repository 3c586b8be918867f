-- A piece of a backfill is read and merged; with finished_at it was the last one (SPEC W2).
-- Parameters: first, last, read_to, finished_at.
update pipeline.backfills set read_to = $read_to, finished_at = $finished_at
where first_day = $first and last_day = $last and finished_at is null
