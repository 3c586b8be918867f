-- SPEC Q1: append rows of the outbox; a list of values for each column.
insert into raw.communications
select
    unnest($communication_id::varchar[]),
    unnest($source::varchar[]),
    unnest($landed_at::varchar[]),
    unnest($occurred_at::varchar[]),
    unnest($channel::varchar[]),
    unnest($category::varchar[]),
    unnest($type::varchar[]),
    unnest($direction::varchar[]),
    unnest($actor_type::varchar[]),
    unnest($actor_name::varchar[]),
    unnest($body::varchar[]),
    unnest($delivery_status::varchar[]),
    unnest($duration_seconds::varchar[]),
    unnest($links::varchar[]),
    unnest($contact_id::varchar[]),
    unnest($external_contact_id::varchar[]),
    unnest($external_id::varchar[]),
    unnest($phone::varchar[]),
    unnest($email::varchar[]),
    unnest($record::varchar[]);
