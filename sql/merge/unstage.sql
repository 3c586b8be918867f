-- SPEC M9: nothing is staged any more, once what was held has been settled.
delete from pipeline.batch;
