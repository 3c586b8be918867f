-- SPEC C7: address, text and date are fixed, and `sending` is on disk, before anything is sent. Done again before each
-- repetition of an attempt, so that the doubt counts from the last one; not if it was settled by hand in the meantime. A
-- push that is looked up first (R5) is in doubt without having been sent, since the older copy was restored.
update communication_pushes
set
    state = 'sending',
    reason = null,
    attempts = :attempts,
    updated_at = :now,
    first_tried_at = coalesce(first_tried_at, :now),
    next_try_at = null,
    sending_since = :doubt_since,
    sending_really_since = :doubt_really_since,
    external_contact_id = :external_contact_id,
    external_id = :external_id,
    job_id = :job_id,
    phone = :phone,
    call_date = :call_date,
    text = :text
where
    communication_id = :communication_id and target = :target
    and (state = :from_state or (state = 'sending' and attempts = :attempts))
returning state;
