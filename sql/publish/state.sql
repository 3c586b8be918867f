-- SPEC Q1: when the file was last published, whether something changed since, and the outbox revision it shows.
select published_at, unpublished_changes, outbox_revision from pipeline.publication;
