"""Many accounts on Dagster's distributed parts: real PostgreSQL, Redis and Celery workers (SPEC A4)."""
