"""What one run does from end to end: its connections, a sync's steps, a backfill, a sweep. No Dagster, no rules."""
