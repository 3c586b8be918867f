-- A backfill of these days begins (SPEC W2). Parameters: first, last, now.
insert into pipeline.backfills by name select $first as first_day, $last as last_day, $now as started_at
