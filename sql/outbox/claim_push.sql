-- SPEC C7: address, text and date are fixed, and `sending` is on disk, before anything is sent.
update communication_pushes
set
    state = 'sending',
    reason = null,
    attempts = attempts + 1,
    updated_at = :now,
    first_tried_at = coalesce(first_tried_at, :now),
    next_try_at = null,
    sending_since = :now,
    sending_really_since = :really_now,
    external_contact_id = :external_contact_id,
    external_id = :external_id,
    job_id = :job_id,
    phone = :phone,
    call_date = :call_date,
    text = :text
where communication_id = :communication_id and target = :target;
