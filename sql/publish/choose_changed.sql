-- SPEC Q1: the contacts whose rows are published again: those that changed since, and records without an id, whose rows
-- can't be told apart. Variable: revision.
create temp table chosen as
select distinct contact_key from work.pipeline.unpublished_contacts
union
select contact_key from work.pipeline.last_readings where contact_key[1] = '?';
create temp table state as
select
    (select count(*) from internal.contact_points) as points,
    (select coalesce(outbox_revision, 0) from work.pipeline.publication) <> getvariable('revision') as outbox_changed;

select count(*) from chosen;
