-- SPEC S1: a row if a backfill or sweep has read some of the batch.
select 1 from pipeline.batch where is_history limit 1;
