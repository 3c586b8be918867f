-- SPEC E3: settles pushes by hand. What is to be pushed again starts with a fresh count of attempts. Parameters: state, reason, now, ids (JSON, or null for all), targets (JSON), from_states (JSON),
-- from_reason (or null), since (or '').
update communication_pushes
set
    state = :state,
    reason = :reason,
    next_try_at = null,
    updated_at = :now,
    attempts = case when :state = 'pending' then 0 else attempts end,
    first_tried_at = case when :state = 'pending' then null else first_tried_at end
where
    state in (select value from json_each(:from_states))
    and (:ids is null or communication_id in (select value from json_each(:ids)))
    and target in (select value from json_each(:targets))
    and (:from_reason is null or reason = :from_reason)
    and communication_id in (select communication_id from communications where occurred_at >= :since)
returning communication_id, target;
