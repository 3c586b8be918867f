-- Of these contacts all that was due is delivered, or waits for a change of its record. Variable: contact_ids.
delete from pipeline.due_deliveries
where external_contact_id in (select unnest(getvariable('contact_ids')));
