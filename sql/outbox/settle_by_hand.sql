-- SPEC E3: a person's word. What LeadPerfection has already is not sent again. Parameters: state, reason, now,
-- ids (JSON, or null for all), target (or null), from_states (JSON), from_reason (or null), since (or '').
update communication_pushes
set state = :state, reason = :reason, next_try_at = null, updated_at = :now
where
    state in (select value from json_each(:from_states))
    and (:ids is null or communication_id in (select value from json_each(:ids)))
    and (:target is null or target = :target)
    and (:from_reason is null or reason = :from_reason)
    and communication_id in (select communication_id from communications where occurred_at >= :since)
returning communication_id;
