-- SPEC Q1: the contacts whose rows are published again: those that changed since, and records without an id, whose rows
-- can't be told apart. Variable: revision.
create temp table chosen as
select distinct contact_key from work.pipeline.unpublished_contacts
union
select contact_key from work.pipeline.last_readings where starts_with(contact_key, '?');
-- Of tables to which rows are only added: the place of the first one that is not published yet. What takes rows out (a
-- forgotten person's, old windows) has everything published anew, so that gaps are only before it.
create temp table state as
select
    (select coalesce(max(rowid) + 1, 0) - count(*) from work.pipeline.contact_points)
    + (select count(*) from internal.contact_points) as points,
    (select coalesce(max(rowid) + 1, 0) - count(*) from work.main.opportunity_changes)
    + (select count(*) from opportunity_changes) as changes,
    (select coalesce(max(rowid) + 1, 0) - count(*) from work.main.calls)
    + (select count(*) from calls) as calls,
    (select coalesce(max(rowid) + 1, 0) - count(*) from work.pipeline.speed_to_lead)
    + (select count(*) from speed_to_lead) as timed,
    (select coalesce(max(rowid) + 1, 0) - count(*) from work.main.unannounced_changes)
    + (select count(*) from unannounced_changes) as unannounced,
    (select coalesce(max(rowid) + 1, 0) - count(*) from work.main.sync_runs)
    + (select count(*) from sync_runs) as windows,
    (select coalesce(outbox_revision, 0) from work.pipeline.publication) <> getvariable('revision') as outbox_changed;
