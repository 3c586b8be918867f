-- The number of a run's sync, if it has one. Parameter: run.
select sync_id from pipeline.syncs where run_id = $run
