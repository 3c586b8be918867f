-- SPEC Q1: what users see of work.duckdb as it is there.
insert into opportunity_changes
select
    external_contact_id, external_id, external_created_local, changed_at, sync_id, column_name, old_value, new_value
from work.main.opportunity_changes;

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
select sync_id, found_at, external_contact_id, external_id, field from work.main.unannounced_changes;

insert into calls
select external_contact_id, called_at, phone, result_code, result, call_type, first_read_at from work.main.calls;

insert into sync_runs
select
    sync_id, feed, window_from, window_to, started_at, ended_at, pages, readings, outcome, error,
    stored, sent_from, sent_to, watermark_moved, kind
from work.main.sync_runs;

insert into internal.contact_points select kind, written, place, form from work.pipeline.contact_points;
