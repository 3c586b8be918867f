"""What is kept in the data folder: `work.duckdb`, `outbox.sqlite`, the published copy, locks; transactions and named
SQL.

Knows no LeadPerfection and no Dagster. What the statements decide is in `sql/`.
"""
