-- Up to where an unfinished backfill of these days has come (SPEC W2). Parameters: first, last.
select read_to from pipeline.backfills where first_day = $first and last_day = $last and finished_at is null
