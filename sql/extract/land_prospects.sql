-- The prospects of one piece as rows, to be stored by store_readings. Parameters: a list for each column.
create or replace temp table landed as
select
    unnest($no::bigint[]) as reading_no,
    unnest($page::integer[]) as page,
    unnest($place::integer[]) as place,
    unnest($read_at::timestamptz[]) as read_at,
    unnest($key::varchar[]) as contact_key,
    unnest($id::varchar[]) as external_contact_id,
    unnest($digest::varchar[]) as digest,
    unnest($record::varchar[])::json as record,
    unnest($fields::varchar[])::json as fields,
    unnest($content::varchar[])::json as content
