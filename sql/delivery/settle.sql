-- SPEC D3: remove these contacts from the queue: everything was delivered, or waits for its record to change.
-- Variable: contact_ids.
delete from pipeline.due_deliveries
where external_contact_id in (select unnest(getvariable('contact_ids')));
