-- Tables of work.duckdb: what was read from LeadPerfection, and what was made of it.
create schema if not exists raw;
create schema if not exists pipeline;

-- The account whose data this is (SPEC J5), and the schema version (R6): one row each.
create table if not exists pipeline.account (address varchar, client_id varchar, zone varchar);
create table if not exists pipeline.version (version integer);

-- Page sizes for which LeadPerfection has returned a full page at least once (SPEC W4).
create table if not exists pipeline.full_pages (page_size integer);

-- One row per sync; its settings are kept for a replay.
create table if not exists pipeline.syncs (sync_id bigint, run_id varchar, started_at timestamptz, settings json);
-- Backfills: their first and last day, and how far each has been read and merged (SPEC W2).
create table if not exists pipeline.backfills (
    first_day date, last_day date, read_to timestamptz, started_at timestamptz, finished_at timestamptz
);
create table if not exists pipeline.sweep (swept_to timestamptz);
create table if not exists pipeline.watermarks (feed varchar, watermark timestamptz);
alter table pipeline.watermarks add column if not exists piece_limit interval;

-- Window ledger (SPEC W6): one row per time window requested.
create table if not exists sync_runs (
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
    watermark_moved boolean
);
alter table sync_runs add column if not exists kind varchar default 'sync';
-- Why the feed counts as unread (SPEC W8): the message for users, without LeadPerfection's own message, and its kind.
alter table sync_runs add column if not exists failure varchar;
alter table sync_runs add column if not exists failure_kind varchar;

-- Readings as received, leads and all, once and append-only, in reading order (SPEC W7); `reading_no` is that order as
-- one number. `normal` is the same record in the form that SQL can read, null for nearly all: they are readable as they
-- are. `digest` is that of the JSON with its keys sorted; `key_bits` says which of pipeline.record_keys a prospect has.
create table if not exists raw.readings (
    reading_no bigint,
    sync_id bigint,
    feed varchar,
    page integer,
    place integer,
    read_at timestamptz,
    contact_key varchar,
    external_contact_id varchar,
    digest ubigint,
    key_bits hugeint,
    record json using compression zstd,
    normal json using compression zstd
);
create table if not exists pipeline.record_keys (place integer, name varchar);
-- The last stored reading of each prospect in each feed, and whether a backfill or sweep has ever shown it there.
create table if not exists pipeline.last_readings (
    feed varchar, contact_key varchar, reading_no bigint, digest ubigint, was_in_the_past boolean
);

-- Normal forms of phone numbers and email addresses (SPEC J8), computed once per text: the ten digits of each number in
-- it, in order, or the bare address; a single row without a form if it contains none.
create table if not exists pipeline.contact_points (kind varchar, written varchar, place integer, form varchar);

-- Queue of unmerged readings (SPEC W8), and the last merged reading of each prospect and feed (F2).
create sequence if not exists pipeline.queue_numbers;
create table if not exists pipeline.unmerged (
    queue_no bigint,
    feed varchar,
    contact_key varchar,
    reading_no bigint,
    read_at timestamptz,
    sent_from timestamp,
    sent_to timestamp
);
alter table pipeline.unmerged add column if not exists is_history boolean default false;
create table if not exists pipeline.merged (feed varchar, contact_key varchar, reading_no bigint, read_at timestamptz);

-- Fields that only older readings of a prospect have (SPEC J1), and the numbers of these readings, by name; few prospects
-- have any.
create table if not exists pipeline.older_keys (contact_key varchar, older_keys json, older_numbers json);
-- The last merged reading of the lead feed that listed a lead under a prospect (SPEC M6).
create table if not exists pipeline.lead_listings (external_id varchar, contact_key varchar, reading_no bigint);

-- `reading_no` and `lead_no` are the readings that its prospect and its lead come from, `lead_place` is the lead's place
-- in that one, from 1; `older_keys` are the fields that only older readings have (SPEC J1).
create table if not exists opportunities (
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
    reading_no bigint,
    older_keys json,
    lead_no bigint,
    lead_place integer
);

create table if not exists opportunity_changes (
    external_contact_id varchar,
    external_id varchar,
    external_created_local timestamp,
    changed_at timestamptz,
    sync_id bigint,
    column_name varchar,
    old_value varchar,
    new_value varchar
);

create table if not exists rejected_records (
    external_contact_id varchar,
    external_id varchar,
    missing varchar[],
    first_rejected_at timestamptz,
    last_rejected_at timestamptz,
    attempts integer,
    combination varchar,
    contact_key varchar,
    lead_key varchar
);

-- Additional opportunities that the identity guard holds for review (SPEC M9), as last read, and those it let through.
create table if not exists held_opportunities (
    contact_key varchar,
    lead_key varchar,
    combination varchar,
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
    external_created_local timestamp,
    lead_changed_at timestamptz,
    missing varchar[],
    reading_no bigint,
    read_at timestamptz,
    older_keys json,
    lead_no bigint,
    lead_place integer,
    known_created_local timestamp,
    state varchar,
    held_at timestamptz
);
create table if not exists pipeline.suspects (
    external_contact_id varchar, external_id varchar, external_created_local timestamp, passed_at timestamptz
);

-- Every call read so far. LeadPerfection shows the last 7 days only.
create table if not exists calls (
    external_contact_id varchar,
    called_at timestamp,
    phone varchar,
    result_code varchar,
    result varchar,
    call_type varchar,
    first_read_at timestamptz
);

-- Changes found by a backfill or sweep although no change timestamp had moved (SPEC S1).
create table if not exists unannounced_changes (
    sync_id bigint, found_at timestamptz, external_contact_id varchar, external_id varchar, field varchar
);

-- What each merge did, and whether it has been published yet.
create table if not exists pipeline.merges (
    sync_id bigint,
    merged_at timestamptz,
    readings integer,
    triggered integer,
    inserted integer,
    updated integer,
    unchanged integer,
    stale integer,
    rejected integer,
    gone integer,
    returned integer
);
alter table pipeline.merges add column if not exists held integer;
create table if not exists pipeline.publication (published_at timestamptz, unpublished_changes boolean);
alter table pipeline.publication add column if not exists outbox_revision bigint;
-- Contacts whose published rows are outdated; null stands for all of them.
create table if not exists pipeline.unpublished_contacts (contact_key varchar);

-- Everything that changed opportunities, in order, with what a replay needs (SPEC E4): each merge with what it took from
-- the queue, each `rezone`, and each `held accept|drop` with the contacts chosen.
create sequence if not exists pipeline.log_numbers;
create table if not exists pipeline.merge_log (
    entry_no bigint,
    event varchar,
    sync_id bigint,
    happened_at timestamptz,
    availability varchar,
    chosen varchar[]
);
create table if not exists pipeline.merge_log_readings (
    entry_no bigint,
    queue_no bigint,
    feed varchar,
    contact_key varchar,
    reading_no bigint,
    read_at timestamptz,
    sent_from timestamp,
    sent_to timestamp,
    is_history boolean
);

-- Opportunities that a sync inserted, when LeadPerfection stamped them, and when users first got them (SPEC E6).
create table if not exists pipeline.speed_to_lead (
    external_contact_id varchar,
    external_id varchar,
    external_created_local timestamp,
    sync_id bigint,
    stamped_at timestamptz,
    published_at timestamptz
);

-- Queue of deliveries to Hatch (SPEC D1); reason `gone` delivers the contact's current opportunity again.
create table if not exists pipeline.due_deliveries (
    external_contact_id varchar,
    external_id varchar,
    external_created_local timestamp,
    reason varchar,
    sync_id bigint,
    queued_at timestamptz
);

-- Staging area: rebuilt by each staging; the merge empties its batch.
create table if not exists pipeline.batch (
    feed varchar,
    contact_key varchar,
    reading_no bigint,
    read_at timestamptz,
    previous_no bigint,
    stale boolean,
    last_queue_no bigint
);
alter table pipeline.batch add column if not exists is_history boolean default false;
alter table pipeline.batch add column if not exists availability varchar;
create table if not exists pipeline.triggered_leads (contact_key varchar, lead_key varchar, reason varchar);
create table if not exists pipeline.triggered_prospects (contact_key varchar, reason varchar);
create table if not exists pipeline.current_prospects (
    contact_key varchar,
    reading_no bigint,
    read_at timestamptz,
    older_keys json,
    older_numbers json,
    email varchar,
    firstname varchar,
    lastname varchar,
    phone1 varchar,
    dateadded varchar,
    lastchanged varchar,
    created_read_at timestamptz,
    updated_read_at timestamptz,
    created_at timestamptz,
    created_local timestamp
);
create table if not exists pipeline.current_leads (
    contact_key varchar,
    lead_key varchar,
    external_id varchar,
    lead_no bigint,
    lead_place integer,
    lead_read_at timestamptz,
    disposition varchar,
    lastchangedon varchar,
    dateentered varchar,
    contractdate varchar,
    appointment_lastchangedon varchar,
    stamps varchar[]
);
create table if not exists pipeline.joined (contact_key varchar, lead_key varchar, combination varchar);
create table if not exists staged_opportunities (
    contact_key varchar,
    lead_key varchar,
    combination varchar,
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
    external_created_local timestamp,
    lead_changed_at timestamptz,
    missing varchar[],
    reading_no bigint,
    read_at timestamptz,
    older_keys json,
    lead_no bigint,
    lead_place integer
);
