-- SPEC E1: what the last merge that wrote each opportunity of a contact changed (SPEC M7); column_name is null for an
-- insert. Parameter: contact.
select external_id, external_created_local, changed_at, sync_id, column_name, old_value, new_value
from opportunity_changes
where external_contact_id = $contact
qualify changed_at = max(changed_at) over (partition by external_id, external_created_local)
order by external_id, external_created_local, column_name;
