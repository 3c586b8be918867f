-- SPEC Q1: what else users see of a contact.
insert into opportunity_changes
select
    external_contact_id, external_id, external_created_local, changed_at, sync_id, column_name, old_value, new_value
from work.main.opportunity_changes
where external_contact_id in (select contact_key from chosen);

insert into calls
select external_contact_id, called_at, phone, result_code, result, call_type, first_read_at from work.main.calls
where external_contact_id in (select contact_key from chosen);
