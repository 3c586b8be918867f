-- What became of a push. Parameters that are null leave attempts as they are; doubt_begins restarts the doubt's clock.
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
where communication_id = :communication_id and target = :target;
