-- What people see of outbox.sqlite (SPEC Q1); the rows are put in by the publication, from `sql/outbox/published_*.sql`.
create table raw.communications (
    communication_id varchar,
    source varchar,
    landed_at timestamptz,
    occurred_at timestamptz,
    channel varchar,
    category varchar,
    type varchar,
    direction varchar,
    actor_type varchar,
    actor_name varchar,
    body varchar,
    delivery_status varchar,
    duration_seconds bigint,
    links json,
    contact_id varchar,
    external_contact_id varchar,
    external_id varchar,
    phone varchar,
    email varchar,
    record json
);
create table rejected_communications (record varchar, source varchar, reason varchar, landed_at timestamptz);
create table communication_pushes (
    communication_id varchar,
    target varchar,
    state varchar,
    reason varchar,
    attempts bigint,
    updated_at timestamptz,
    first_seen_at timestamptz,
    next_try_at timestamptz,
    external_contact_id varchar,
    external_id varchar,
    job_id varchar,
    phone varchar,
    call_date timestamp,
    text varchar,
    words varchar
);
create table hatch_deliveries (
    external_contact_id varchar,
    external_id varchar,
    external_created_local timestamp,
    state varchar,
    delivered_at timestamptz,
    delivered_content json,
    hatch_contact_id varchar,
    error_code bigint,
    error_field varchar,
    words varchar,
    notes json,
    attempts bigint,
    updated_at timestamptz
);
