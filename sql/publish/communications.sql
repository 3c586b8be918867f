-- SPEC Q2: the same communications without the original record.
insert into communications
select
    communication_id, source, occurred_at, channel, type, direction, actor_type, actor_name, body, delivery_status,
    duration_seconds, links, contact_id, external_contact_id, external_id, phone, email, landed_at
from raw.communications;
