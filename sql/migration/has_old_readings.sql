-- A row if the file holds readings in the form of schema 4 and older.
select 1 from duckdb_tables()
where database_name = current_database() and schema_name = 'raw' and table_name = 'prospects'
