-- Whether this published copy knows the normal forms of phones and e-mails: one that an older program made does not.
from duckdb_tables() where schema_name = 'internal' and table_name = 'contact_points'
