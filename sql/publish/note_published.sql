-- SPEC Q1: the file now shows everything up to here. Variables: now_at, revision.
delete from pipeline.unpublished_contacts;
delete from pipeline.publication;
insert into pipeline.publication (published_at, unpublished_changes, outbox_revision)
select getvariable('now_at'), false, getvariable('revision');
update pipeline.speed_to_lead set published_at = getvariable('now_at') where published_at is null;
