-- SPEC Q1: the contacts whose rows are published again: those that changed since, and records without an id, whose rows
-- can't be told apart. Variable: revision.
create temp table chosen as
select distinct contact_key from work.pipeline.unpublished_contacts
union
select contact_key from work.pipeline.last_readings where contact_key[1] = '?';
create temp table state as
select
    -- of tables to which rows are only ever added: how many are published already
    (select count(*) from internal.contact_points) as points,
    (select count(*) from opportunity_changes) as changes,
    (select count(*) from calls) as calls,
    (select count(*) from speed_to_lead) as timed,
    (select count(*) from unannounced_changes) as unannounced,
    (select count(*) from sync_runs) as windows,
    (select coalesce(outbox_revision, 0) from work.pipeline.publication) <> getvariable('revision') as outbox_changed;

select count(*) from chosen;
