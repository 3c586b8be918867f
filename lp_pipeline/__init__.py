"""A two-way sync between LeadPerfection and Hatch: a Dagster pipeline over DuckDB."""
