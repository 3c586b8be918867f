-- SPEC S1: the entry date that the current sweep through all history has reached.
select swept_to from pipeline.sweep
