-- SPEC E1: whether a contact has anything that waits for its delivery to Hatch, and since when. Parameter: contact.
select min(queued_at) from pipeline.due_deliveries where external_contact_id = $contact;
