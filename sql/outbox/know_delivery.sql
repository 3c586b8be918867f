-- SPEC D3: the record is again as it was last delivered; an outcome recorded in between no longer applies.
update hatch_deliveries
set
    state = 'delivered',
    refused_digest = null,
    error_code = null,
    error_field = null,
    words = null,
    notes = :notes,
    updated_at = :now
where
    external_contact_id = :external_contact_id
    and external_id = :external_id
    and external_created_local = :external_created_local;
