"""Backfill (SPEC W2), sweep (S1), identity guard (M9), and the alarms about feeds and zones."""
