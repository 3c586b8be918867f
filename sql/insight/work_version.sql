-- SPEC E2, R6: which schema version a work.duckdb has; no row's version is null in a file of ours.
select max(version) from pipeline.version;
