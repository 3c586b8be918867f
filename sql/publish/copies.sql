-- SPEC Q1: what users see of work.duckdb whole, as it is there; of tables to which rows are only ever added, the new ones.
insert into rejected_records
select external_contact_id, external_id, missing, first_rejected_at, last_rejected_at, attempts, combination
from work.main.rejected_records;

insert into held_opportunities
select
    external_contact_id, external_id, external_created_local, known_created_local, state, held_at, combination,
    external_created_at, external_updated_at, email, first_name, last_name, phone, status, external_updated_at_source,
    read_at
from work.main.held_opportunities;

insert into unannounced_changes
select sync_id, found_at, external_contact_id, external_id, field from work.main.unannounced_changes
where rowid >= (select unannounced from state);

insert into sync_runs
select
    sync_id, feed, window_from, window_to, started_at, ended_at, pages, readings, outcome, error,
    stored, sent_from, sent_to, watermark_moved, kind
from work.main.sync_runs
where rowid >= (select windows from state);

insert into internal.contact_points select kind, written, place, form
from work.pipeline.contact_points
where rowid >= (select points from state);
