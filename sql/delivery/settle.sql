-- What is delivered, or waits for a change of its record, is no longer due. `settled` holds keys; a contact's request for
-- its current opportunity is settled with it (external_created_local is null there).
delete from pipeline.due_deliveries
using settled as s
where
    pipeline.due_deliveries.external_contact_id = s.external_contact_id
    and pipeline.due_deliveries.external_id is not distinct from s.external_id
    and pipeline.due_deliveries.external_created_local is not distinct from s.external_created_local;
