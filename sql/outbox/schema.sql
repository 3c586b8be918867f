-- The tables of outbox.sqlite (SQLite): what came from Hatch, and what was sent to Hatch and LeadPerfection.
-- Instants are ISO text in UTC, with microseconds, so that they sort as text.

-- Single values: revision (counts visible changes), pushing_since (C4), pauses of the sensor, and recovered_at (R5): until
-- then pushes may have been sent that this file, a restored older copy, does not know of.
create table if not exists facts (name text primary key, value text not null) strict;

-- Every communication from the export or the inbox (SPEC C1, C2). `targets` are those that were on when it arrived.
create table if not exists communications (
    communication_id text primary key,
    source text not null,
    landed_at text not null,
    occurred_at text not null,
    channel text not null,
    category text,
    type text,
    direction text,
    actor_type text,
    actor_name text,
    body text,
    delivery_status text,
    duration_seconds integer,
    links text not null,
    contact_id text,
    external_contact_id text,
    external_id text,
    phone text,
    email text,
    record text not null,
    targets text not null,
    assigned_contact_id text
) strict;
create index if not exists communications_by_time on communications (occurred_at);

-- What arrived but is not a valid communication, with the reason, so that nothing is lost.
create table if not exists rejected_communications (
    record text primary key,
    source text not null,
    reason text not null,
    landed_at text not null
) strict;

-- Which LeadPerfection contact a Hatch contact is (SPEC C5).
create table if not exists contact_history (
    hatch_contact_id text primary key,
    external_contact_id text,
    email text,
    phone text,
    updated_at text
) strict;

-- Requests to the Bulk Export (SPEC C1), recorded before they are made.
create table if not exists export_requests (
    requested_at text not null,
    data_source text not null,
    start_date text not null,
    end_date text not null,
    outcome text not null,
    items integer,
    through text,
    error text
) strict;

-- The ledger of pushes (SPEC C7): address, text and date are fixed before anything is sent.
create table if not exists communication_pushes (
    communication_id text not null,
    target text not null,
    state text not null,
    reason text,
    attempts integer not null default 0,
    updated_at text not null,
    first_seen_at text not null,
    first_tried_at text,
    next_try_at text,
    sending_since text,
    sending_really_since text,
    external_contact_id text,
    external_id text,
    job_id text,
    phone text,
    call_date text,
    text text,
    words text,
    primary key (communication_id, target)
) strict, without rowid;
create index if not exists pushes_by_state on communication_pushes (state, target);
create index if not exists pushes_by_time on communication_pushes (state, updated_at);
create index if not exists pushes_by_call on communication_pushes (external_contact_id, call_date);

-- The pushes that are looked up in LeadPerfection before they are sent (SPEC R5): the ledger is an older copy, so they may
-- have been sent already.
create table if not exists pushes_to_look_for (
    communication_id text not null,
    target text not null,
    primary key (communication_id, target)
) strict, without rowid;

-- The ledger of deliveries to Hatch (SPEC D3), one row for each opportunity.
create table if not exists hatch_deliveries (
    external_contact_id text not null,
    external_id text not null,
    external_created_local text not null,
    state text not null,
    delivered_digest text,
    delivered_at text,
    delivered_content text,
    hatch_contact_id text,
    refused_digest text,
    error_code integer,
    error_field text,
    words text,
    notes text not null,
    attempts integer not null,
    updated_at text not null,
    primary key (external_contact_id, external_id, external_created_local)
) strict, without rowid;
create index if not exists deliveries_by_time on hatch_deliveries (state, updated_at);
create index if not exists deliveries_by_hatch_contact on hatch_deliveries (hatch_contact_id);
