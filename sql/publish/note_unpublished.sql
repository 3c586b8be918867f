-- SPEC Q1: something changed that users have not seen yet.
insert into pipeline.publication (published_at, unpublished_changes, outbox_revision)
select null, true, null
where not exists (select 1 from pipeline.publication);
update pipeline.publication set unpublished_changes = true;
