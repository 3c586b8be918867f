-- Stored readings in a form that can be read. Parameter: no (their numbers).
select reading_no, coalesce(normal, record)::varchar
from raw.readings
where reading_no in (select unnest($no::bigint[]))
