-- SPEC W8: a row if something is staged.
select 1 from pipeline.batch limit 1;
