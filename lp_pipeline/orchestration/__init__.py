"""All that knows Dagster: assets, checks, jobs, schedules, sensors. They wire and report; the work is elsewhere."""
