-- SPEC W8: whether something is staged.
select exists (from pipeline.batch);
