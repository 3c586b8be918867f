-- SPEC E1: what is rejected of a contact, and why. Parameter: contact.
select external_id, combination, missing, first_rejected_at, last_rejected_at, attempts
from rejected_records
where external_contact_id = $contact
order by external_id nulls first;
