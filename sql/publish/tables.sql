-- What people query (SPEC Q1): a copy of all that matters out of work.duckdb, written into a new file.
-- Variables: now_at, zone, schema_version.
create schema raw;
create schema internal;
create schema pipeline;  -- the macros that the views read LP's values by

-- Of the readings only each record's latest one.
create table raw.prospects as
with latest as (select max(reading_no) as reading_no from work.raw.prospects group by feed, contact_key)
select p.sync_id, p.feed, p.read_at, p.page, p.place, p.external_contact_id, p.record, p.content
from work.raw.prospects as p inner join latest as l on l.reading_no = p.reading_no;

create table internal.prospect_fields as
with latest as (select max(reading_no) as reading_no from work.raw.prospects group by feed, contact_key)
select p.sync_id, p.feed, p.page, p.place, p.read_at, p.external_contact_id, p.fields, p.content
from work.raw.prospects as p inner join latest as l on l.reading_no = p.reading_no
where p.external_contact_id is not null;

create table raw.leads as
with latest as (select max(reading_no) as reading_no from work.raw.prospects group by feed, contact_key)
select
    p.sync_id, p.feed, p.read_at, p.page, p.place, p.external_contact_id, p.external_id,
    p.record, p.content, p.lead_place
from work.raw.leads as p inner join latest as l on l.reading_no = p.reading_no;

create table opportunities as
select
    external_contact_id, external_id, external_created_at, external_updated_at,
    email, first_name, last_name, phone, status,
    external_updated_at_source, combination, external_created_local, lead_changed_at,
    first_synced_at, changed_at, read_at, gone_since
from work.main.opportunities;

create table internal.opportunity_objects as
select o.external_contact_id, o.external_id, o.external_created_local, b.prospect, b.lead
from work.main.opportunities as o inner join work.pipeline.opportunity_objects as b using (object_no);

create table internal.contact_points as select * from work.pipeline.contact_points;

create table opportunity_changes as select * from work.main.opportunity_changes;

create table rejected_records as
select external_contact_id, external_id, missing, first_rejected_at, last_rejected_at, attempts, combination
from work.main.rejected_records;

create table sync_runs as
select
    sync_id, feed, window_from, window_to, started_at, ended_at, pages, readings, outcome, error,
    stored, sent_from, sent_to, watermark_moved, kind
from work.main.sync_runs;

create table held_opportunities as
select
    external_contact_id, external_id, external_created_local, known_created_local, state, held_at, combination,
    external_created_at, external_updated_at, email, first_name, last_name, phone, status, external_updated_at_source,
    read_at
from work.main.held_opportunities;

create table unannounced_changes as select * from work.main.unannounced_changes;

create table calls as select * from work.main.calls;
