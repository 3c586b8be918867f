-- SPEC Q1: append rows of the outbox; a list of values for each column.
insert into communication_pushes
select
    unnest($communication_id::varchar[]),
    unnest($target::varchar[]),
    unnest($state::varchar[]),
    unnest($reason::varchar[]),
    unnest($attempts::varchar[]),
    unnest($updated_at::varchar[]),
    unnest($first_seen_at::varchar[]),
    unnest($next_try_at::varchar[]),
    unnest($external_contact_id::varchar[]),
    unnest($external_id::varchar[]),
    unnest($job_id::varchar[]),
    unnest($phone::varchar[]),
    unnest($call_date::varchar[]),
    unnest($text::varchar[]),
    unnest($words::varchar[]);
