-- SPEC Q1: what else users see of a contact. Rows are only ever added here: what is published already stays.
insert into opportunity_changes
select
    external_contact_id, external_id, external_created_local, changed_at, sync_id, column_name, old_value, new_value
from work.main.opportunity_changes
where rowid >= (select changes from state);

insert into calls
select external_contact_id, called_at, phone, result_code, result, call_type, first_read_at from work.main.calls
where rowid >= (select calls from state);

-- E6: what users have not had before is in this file for the first time. Two clocks may be a little apart. Variable: now_at.
insert into speed_to_lead
with seen as (
    select * replace (coalesce(published_at, getvariable('now_at')) as published_at) from work.pipeline.speed_to_lead
    where rowid >= (select timed from state)
)
select
    external_contact_id, external_id, external_created_local, sync_id, stamped_at, published_at,
    greatest(epoch(published_at) - epoch(stamped_at), 0)::bigint
from seen;
