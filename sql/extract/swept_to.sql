-- Up to which entry day the sweep's round through all history has come (SPEC S1).
select swept_to from pipeline.sweep
