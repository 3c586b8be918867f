-- SPEC E1: the deliveries of a contact to Hatch. Parameter: contact.
select
    external_id, external_created_local, state, delivered_at, hatch_contact_id, error_code, error_field, words, notes,
    attempts, updated_at
from hatch_deliveries
where external_contact_id = :contact
order by updated_at;
