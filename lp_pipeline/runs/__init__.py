"""What one run does from end to end: its connections, a sync's steps, a backfill, a sweep, and the care of a data
folder (`upkeep`). No Dagster, no rules."""
