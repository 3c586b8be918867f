-- SPEC W8: whether readings wait to be staged, or an earlier staging was not merged.
select exists (from pipeline.unmerged) or exists (from pipeline.batch);
