-- The tables and views that people query, and what each holds.
select if(schema_name = 'raw', 'raw.', '') || table_name as name, comment
from duckdb_tables()
where database_name = 'published' and schema_name in ('main', 'raw')
union all
select if(schema_name = 'raw', 'raw.', '') || view_name as name, comment
from duckdb_views()
where database_name = 'published' and schema_name in ('main', 'raw') and not internal
order by name;
