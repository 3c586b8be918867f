-- The ledger's entries for these contacts' opportunities. Parameter: contact_ids (JSON list).
select
    external_contact_id, external_id, external_created_local, state, delivered_digest, delivered_at, refused_digest
from hatch_deliveries
where external_contact_id in (select value from json_each(:contact_ids));
