"""Backfills, sweeps and syncs from end to end: kills, clocks, what the contract leaves open (SPEC S1, W2, R1)."""
