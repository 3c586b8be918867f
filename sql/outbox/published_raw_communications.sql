select
    communication_id, source, landed_at, occurred_at, channel, category, type, direction, actor_type, actor_name, body,
    delivery_status, duration_seconds, links, contact_id,
    coalesce(assigned_contact_id, external_contact_id) as external_contact_id,
    external_id, phone, email, record
from communications
order by occurred_at, communication_id;
