-- SPEC Q1, Q2: the tables of published.duckdb, each with its contact, so that a contact's rows can be replaced. Typed
-- tables instead of views over JSON: whatever a user's own databases are called, nothing here refers to a schema by name.
create schema raw;
create schema internal;

create table opportunity_details (
    external_contact_id varchar,
    external_id varchar,
    external_created_at timestamptz,
    external_updated_at timestamptz,
    email varchar,
    first_name varchar,
    last_name varchar,
    phone varchar,
    status varchar,
    external_updated_at_source varchar,
    combination varchar,
    external_created_local timestamp,
    lead_changed_at timestamptz,
    first_synced_at timestamptz,
    changed_at timestamptz,
    read_at timestamptz,
    gone_since timestamptz,
    opportunity_place bigint,
    prospect json using compression zstd,
    lead json using compression zstd
);

create table prospects (
    external_contact_id varchar,
    first_name varchar,
    last_name varchar,
    email varchar,
    phone varchar,
    address varchar,
    city varchar,
    state varchar,
    zip varchar,
    added_at timestamp,
    changed_at timestamp,
    read_at timestamptz,
    content json using compression zstd
);

create table leads (
    external_contact_id varchar,
    external_id varchar,
    disposition varchar,
    source varchar,
    source_detail varchar,
    branch varchar,
    sales_rep varchar,
    entry_date timestamp,
    entered_at timestamp,
    changed_at timestamp,
    appointment_set boolean,
    appointment_at timestamp,
    sold boolean,
    gross_sale_amount decimal(18, 2),
    feed varchar,
    read_at timestamptz,
    lead_place integer,
    content json using compression zstd
);

create table jobs (
    external_contact_id varchar,
    external_id varchar,
    place bigint,
    job_id varchar,
    contract_id varchar,
    contract_date timestamp,
    job_status varchar,
    gross_amount decimal(18, 2),
    content json using compression zstd
);

create table appointments (
    external_contact_id varchar,
    external_id varchar,
    place bigint,
    appointment_id varchar,
    appointment_at timestamp,
    disposition varchar,
    changed_at timestamp,
    content json using compression zstd
);

create table calls (
    external_contact_id varchar,
    called_at timestamp,
    phone varchar,
    result_code varchar,
    result varchar,
    call_type varchar,
    first_read_at timestamptz
);

create table opportunity_changes (
    external_contact_id varchar,
    external_id varchar,
    external_created_local timestamp,
    changed_at timestamptz,
    sync_id bigint,
    column_name varchar,
    old_value varchar,
    new_value varchar
);

create table speed_to_lead (
    external_contact_id varchar,
    external_id varchar,
    external_created_local timestamp,
    sync_id bigint,
    stamped_at timestamptz,
    published_at timestamptz,
    seconds bigint
);

create table rejected_records (
    external_contact_id varchar,
    external_id varchar,
    missing varchar[],
    first_rejected_at timestamptz,
    last_rejected_at timestamptz,
    attempts integer,
    combination varchar
);

create table held_opportunities (
    external_contact_id varchar,
    external_id varchar,
    external_created_local timestamp,
    known_created_local timestamp,
    state varchar,
    held_at timestamptz,
    combination varchar,
    external_created_at timestamptz,
    external_updated_at timestamptz,
    email varchar,
    first_name varchar,
    last_name varchar,
    phone varchar,
    status varchar,
    external_updated_at_source varchar,
    read_at timestamptz
);

create table unannounced_changes (
    sync_id bigint,
    found_at timestamptz,
    external_contact_id varchar,
    external_id varchar,
    field varchar
);

create table sync_runs (
    sync_id bigint,
    feed varchar,
    window_from timestamptz,
    window_to timestamptz,
    started_at timestamptz,
    ended_at timestamptz,
    pages integer,
    readings integer,
    outcome varchar,
    error varchar,
    stored integer,
    sent_from timestamp,
    sent_to timestamp,
    watermark_moved boolean,
    kind varchar
);

create table communications (
    communication_id varchar,
    source varchar,
    occurred_at timestamptz,
    channel varchar,
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
    landed_at timestamptz
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
    delivered_content json using compression zstd,
    hatch_contact_id varchar,
    error_code bigint,
    error_field varchar,
    words varchar,
    notes json,
    attempts bigint,
    updated_at timestamptz
);

create table raw.prospects (
    sync_id bigint,
    feed varchar,
    read_at timestamptz,
    page integer,
    place integer,
    external_contact_id varchar,
    record json using compression zstd
);

create table raw.leads (
    sync_id bigint,
    feed varchar,
    read_at timestamptz,
    page integer,
    place integer,
    external_contact_id varchar,
    external_id varchar,
    record json using compression zstd,
    lead_place integer
);

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
    record json using compression zstd
);

create table internal.contact_points (kind varchar, written varchar, place integer, form varchar);

create table published (
    sync_id bigint,
    published_at timestamptz,
    opportunities bigint,
    gone_opportunities bigint,
    rejected_records bigint,
    prospect_readings bigint,
    lead_readings bigint,
    communications bigint,
    hatch_deliveries bigint,
    leadperfection_timezone varchar,
    schema_version integer
);
