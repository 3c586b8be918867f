"""The tables of the sandbox's database file.

Belongs here: the schema. Not here: reading and writing it.
"""

VERSION = 3  # 1 had only LeadPerfection's feeds, 2 had no Hatch
COUNTED = (
    *("prospects", "leads", "additions", "job_notes", "late"),
    *("contacts", "upserts", "communications", "contact_history"),
)

SCHEMA = """
create table if not exists facts (name text primary key, value text not null);  -- JSON: zone, seed, created, secret, …
create table if not exists switches (name text primary key, value text not null);
create table if not exists faults (
  id integer primary key, kind text, path text, times integer, after integer, details text
);
create table if not exists prospects (
  cst_id text primary key, number integer, lastchanged text, made integer, record text
);
create table if not exists leads (cst_id text, lead_id text, ils_id text);
create table if not exists stamps (cst_id text, kind integer, stamp text, hidden integer);
-- What writes appended to an array (`notes`, `calls`) of a prospect or a lead, as JSON; shown after the record's own.
create table if not exists additions (id integer primary key, cst_id text, lead_id text, array text, element text);
-- LP has no API that returns these.
create table if not exists job_notes (id integer primary key, job_id text, element text);
-- Calls executed later: due by the sandbox's clock or by this machine's, whichever comes first.
create table if not exists late (
  id integer primary key, due real, really_due real,
  method text, target text, authorization text, content_type text, body blob
);
-- Hatch: contacts (the initial ones have a place), and every accepted upsert as it was sent.
create table if not exists contacts (
  number integer primary key, id text unique, external_contact_id text, phone text, email text, place integer unique
);
create table if not exists upserts (id integer primary key, contact_id text, external_id text, body text);
create table if not exists upsert_calls (at real);  -- for the rate limit
-- Rows of the exports as JSON, by day; in generated rows the name of the time column comes from a switch.
create table if not exists communications (id integer primary key, day text, made integer, item text);
create table if not exists contact_history (id integer primary key, day text, made integer, item text);

create index if not exists prospects_by_number on prospects (number, cst_id);
create index if not exists leads_by_prospect on leads (cst_id);
create index if not exists leads_by_id on leads (lead_id, cst_id);
create index if not exists leads_by_issued on leads (ils_id, cst_id);
create index if not exists stamps_by_prospect on stamps (cst_id);
create index if not exists stamps_by_time on stamps (stamp, kind, cst_id);
create index if not exists additions_by_prospect on additions (cst_id);
create index if not exists contacts_by_phone on contacts (phone);
create index if not exists contacts_by_email on contacts (email);
create index if not exists communications_by_day on communications (day);
create index if not exists contact_history_by_day on contact_history (day);
"""
