"""What `deploy/` holds: units, container files, PostgreSQL for Dagster."""
