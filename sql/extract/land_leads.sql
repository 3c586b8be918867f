-- Their leads, each with what it has of its prospect. Parameters: a list for each column.
create or replace temp table landed_leads as
with leads as (
    select
        unnest($no::bigint[]) as reading_no,
        unnest($position::integer[]) as lead_place,
        unnest($key::varchar[]) as lead_key,
        unnest($id::varchar[]) as external_id,
        unnest($record::varchar[])::json as record,
        unnest($fields::varchar[])::json as fields,
        unnest($content::varchar[])::json as content
)
select l.*, p.contact_key, p.external_contact_id, p.page, p.place, p.read_at
from leads as l inner join landed as p using (reading_no)
