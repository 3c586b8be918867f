-- The tables of work.duckdb: what LeadPerfection told us, and what became of it.
create schema if not exists raw;
create schema if not exists pipeline;

-- Whose data this is (SPEC J5) and which program wrote it (R6): one row each.
create table if not exists pipeline.account (address varchar, client_id varchar, zone varchar);
create table if not exists pipeline.version (version integer);

-- Page sizes of which this LeadPerfection has once given a full page (SPEC W4).
create table if not exists pipeline.full_pages (page_size integer);

-- A sync is one run; its settings are kept so that it can be replayed.
create table if not exists pipeline.syncs (sync_id bigint, run_id varchar, started_at timestamptz, settings json);
-- Backfills: between which days, and up to where each is read and merged (SPEC W2).
create table if not exists pipeline.backfills (
    first_day date, last_day date, read_to timestamptz, started_at timestamptz, finished_at timestamptz
);
create table if not exists pipeline.sweep (swept_to timestamptz);
create table if not exists pipeline.watermarks (feed varchar, watermark timestamptz);
alter table pipeline.watermarks add column if not exists piece_limit interval;

-- The window ledger (SPEC W6): a row for each piece that was asked for.
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
-- Why the feed counts as unread (SPEC W8): the message for people, without LeadPerfection's own words, and its kind.
alter table sync_runs add column if not exists failure varchar;
alter table sync_runs add column if not exists failure_kind varchar;

-- Readings, in reading order and only ever appended (SPEC W7). `reading_no` is that order as one number;
-- `fields` is the record with its keys in lower case, `content` what comparisons look at (F1).
create table if not exists raw.prospects (
    sync_id bigint,
    feed varchar,
    read_at timestamptz,
    page integer,
    place integer,
    external_contact_id varchar,
    record json,
    content json,
    reading_no bigint,
    contact_key varchar,
    fields json,
    digest varchar
);
create table if not exists raw.leads (
    sync_id bigint,
    feed varchar,
    read_at timestamptz,
    page integer,
    place integer,
    external_contact_id varchar,
    external_id varchar,
    record json,
    content json,
    reading_no bigint,
    contact_key varchar,
    lead_key varchar,
    lead_place integer,
    fields json
);

-- The normal forms of phone numbers and e-mail addresses (SPEC J8), computed once for each text that a record writes: the
-- ten digits of each number in it, in order, or its bare address; one row with no form if there is none in it.
create table if not exists pipeline.contact_points (kind varchar, written varchar, place integer, form varchar);

-- The queue of readings that await their merge (SPEC W8), and for each prospect and feed the last one merged (F2).
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

create sequence if not exists pipeline.object_numbers;
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
    content_digest varchar,
    object_no bigint
);

-- Both objects of every version of an opportunity: appended, never updated (an updated JSON column bloats the file).
create table if not exists pipeline.opportunity_objects (
    object_no bigint,
    prospect json,
    lead json,
    prospect_content json,
    lead_content json,
    created_read_at timestamptz,
    updated_read_at timestamptz,
    lead_read_at timestamptz
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

-- Additional opportunities that the identity guard holds for a person (SPEC M9), as they were last read, and those that
-- passed it.
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
    prospect json,
    lead json,
    prospect_content json,
    lead_content json,
    content_digest varchar,
    reading_no bigint,
    read_at timestamptz,
    created_read_at timestamptz,
    updated_read_at timestamptz,
    lead_read_at timestamptz,
    known_created_local timestamp,
    state varchar,
    held_at timestamptz
);
create table if not exists pipeline.suspects (
    external_contact_id varchar, external_id varchar, external_created_local timestamp, passed_at timestamptz
);

-- Every call that was ever read: LeadPerfection shows a rolling week only.
create table if not exists calls (
    external_contact_id varchar,
    called_at timestamp,
    phone varchar,
    result_code varchar,
    result varchar,
    call_type varchar,
    first_read_at timestamptz
);

-- What a backfill or sweep found changed although no stamp had moved (SPEC S1).
create table if not exists unannounced_changes (
    sync_id bigint, found_at timestamptz, external_contact_id varchar, external_id varchar, field varchar
);

-- What each merge did, and whether people have seen it yet.
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

-- What changed the opportunities, in order and with all that is needed to do it again from the readings (SPEC E4): each
-- merge with what it took from the queue, each `rezone`, each `held accept|drop` with the contacts chosen.
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

-- What Hatch is still to be told (SPEC D1); `gone` asks for the contact's current opportunity again.
create table if not exists pipeline.due_deliveries (
    external_contact_id varchar,
    external_id varchar,
    external_created_local timestamp,
    reason varchar,
    sync_id bigint,
    queued_at timestamptz
);

-- The staging area: rebuilt by every staging, emptied of its batch by the merge.
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
    prospect json,
    prospect_content json,
    reading_no bigint,
    read_at timestamptz,
    created_read_at timestamptz,
    updated_read_at timestamptz
);
create table if not exists pipeline.current_leads (
    contact_key varchar,
    lead_key varchar,
    external_id varchar,
    lead_place integer,
    lead json,
    lead_content json,
    lead_read_at timestamptz
);
create table if not exists pipeline.joined (
    contact_key varchar,
    lead_key varchar,
    combination varchar,
    prospect json,
    lead json,
    prospect_content json,
    lead_content json,
    reading_no bigint,
    read_at timestamptz,
    created_read_at timestamptz,
    updated_read_at timestamptz,
    lead_read_at timestamptz
);
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
    prospect json,
    lead json,
    prospect_content json,
    lead_content json,
    content_digest varchar,
    reading_no bigint,
    read_at timestamptz,
    created_read_at timestamptz,
    updated_read_at timestamptz,
    lead_read_at timestamptz
);
