-- SPEC K1, K2: the tables of an attached database. Parameter: database.
select schema_name, table_name
from duckdb_tables()
where database_name = $database and not internal and not temporary
order by all;
