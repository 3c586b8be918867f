select
    external_contact_id, nullif(external_id, '') as external_id, external_created_local, state, delivered_at,
    delivered_content, hatch_contact_id, error_code, error_field, words, notes, attempts, updated_at
from hatch_deliveries
order by updated_at, external_contact_id, external_id;
