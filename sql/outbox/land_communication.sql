-- SPEC C1, C2: a communication is stored once; if it arrives again and differs (delivered by now), the newer one counts.
insert into communications values (
    :communication_id, :source, :landed_at, :occurred_at, :channel, :category, :type, :direction, :actor_type,
    :actor_name, :body, :delivery_status, :duration_seconds, :links, :contact_id, :external_contact_id, :external_id,
    :phone, :email, :record, :targets, null
)
on conflict (communication_id) do update set
    occurred_at = excluded.occurred_at,
    channel = excluded.channel,
    category = excluded.category,
    type = excluded.type,
    direction = excluded.direction,
    actor_type = excluded.actor_type,
    actor_name = excluded.actor_name,
    body = excluded.body,
    delivery_status = excluded.delivery_status,
    duration_seconds = excluded.duration_seconds,
    links = excluded.links,
    contact_id = excluded.contact_id,
    external_contact_id = excluded.external_contact_id,
    external_id = excluded.external_id,
    phone = excluded.phone,
    email = excluded.email,
    record = excluded.record
where communications.record <> excluded.record
returning landed_at = :landed_at as is_new;
