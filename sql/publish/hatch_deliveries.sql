-- SPEC Q1: append rows of the outbox; a list of values for each column.
insert into hatch_deliveries
select
    unnest($external_contact_id::varchar[]),
    unnest($external_id::varchar[]),
    unnest($external_created_local::varchar[]),
    unnest($state::varchar[]),
    unnest($delivered_at::varchar[]),
    unnest($delivered_content::varchar[]),
    unnest($hatch_contact_id::varchar[]),
    unnest($error_code::varchar[]),
    unnest($error_field::varchar[]),
    unnest($words::varchar[]),
    unnest($notes::varchar[]),
    unnest($attempts::varchar[]),
    unnest($updated_at::varchar[]);
