"""Dagster's side: jobs, checks, schedules, sensors."""
