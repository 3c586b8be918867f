-- SPEC K1: whether a database keeps snapshots for replays to begin at. Parameter: database.
select 1 from duckdb_tables() where database_name = $database and schema_name = 'base' and table_name = 'snapshots'
