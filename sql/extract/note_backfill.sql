-- SPEC W2: record that a piece of a backfill was read and merged; finished_at is set after the last one.
-- Parameters: first, last, read_to, finished_at.
update pipeline.backfills set read_to = $read_to, finished_at = $finished_at
where first_day = $first and last_day = $last and finished_at is null
