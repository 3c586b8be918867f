"""The tables of the sandbox's one file.

Belongs here: what is kept, in words and SQL. Not here: reading and writing it.
"""

VERSION = 2  # 1 was LeadPerfection's reading half alone
COUNTED = (*("prospects", "leads", "additions", "job_notes", "late"),)

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
-- What a write appended to a prospect's, or one of its leads', array (`notes`, `calls`), as JSON; shown after its own.
create table if not exists additions (id integer primary key, cst_id text, lead_id text, array text, element text);
-- LP can't be asked for these.
create table if not exists job_notes (id integer primary key, job_id text, element text);
-- Calls that LP carries out later: due by the sandbox's clock or by this machine's, whichever is there first.
create table if not exists late (
  id integer primary key, due real, really_due real,
  method text, target text, authorization text, content_type text, body blob
);

create index if not exists prospects_by_number on prospects (number, cst_id);
create index if not exists leads_by_prospect on leads (cst_id);
create index if not exists leads_by_id on leads (lead_id, cst_id);
create index if not exists leads_by_issued on leads (ils_id, cst_id);
create index if not exists stamps_by_prospect on stamps (cst_id);
create index if not exists stamps_by_time on stamps (stamp, kind, cst_id);
create index if not exists additions_by_prospect on additions (cst_id);
"""
