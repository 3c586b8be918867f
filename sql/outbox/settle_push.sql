-- The outcome of a push, unless it was settled by hand in the meantime. Parameters: from_state (the state in which the
-- run found it), attempts (null: unchanged), doubt_begins (restarts the doubt's clock).
update communication_pushes
set
    state = :state,
    reason = :reason,
    words = :words,
    updated_at = :now,
    next_try_at = :next_try_at,
    attempts = coalesce(:attempts, attempts),
    sending_since = case when :doubt_begins then :now else sending_since end,
    sending_really_since = case when :doubt_begins then :really_now else sending_really_since end
where communication_id = :communication_id and target = :target and state in (:from_state, 'sending');
