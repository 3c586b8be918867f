-- SPEC E3: how the prospects of a list of pushes are called. Parameter: ids.
select
    external_contact_id,
    nullif(trim(coalesce(first_name, '') || ' ' || coalesce(last_name, '')), '') as name,
    phone,
    email
from prospects
where external_contact_id in (select unnest($ids::varchar[]));
