-- Stored readings in a form that can be read. Parameter: no (their numbers). By their places: searched for by number,
-- DuckDB would unpack every record, and not only those that are compressed together with one of these.
select reading_no, coalesce(normal, record)::varchar
from raw.readings
where rowid in (select rowid from raw.readings where reading_no in (select unnest($no::bigint[])))
