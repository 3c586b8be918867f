-- SPEC W8: a row if readings wait to be staged, or an earlier staging was not merged.
select 1 from pipeline.unmerged
union all
select 1 from pipeline.batch
limit 1;
