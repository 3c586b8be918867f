select
    communication_id, target, state, reason, attempts, updated_at, first_seen_at,
    nullif(next_try_at, '9999') as next_try_at,
    external_contact_id, external_id, job_id, phone, call_date, text, words
from communication_pushes
order by updated_at, communication_id, target;
