"""Staging, merging and replaying (SPEC F, J, M, E4): runs the SQL that decides. No clients, no Dagster."""
