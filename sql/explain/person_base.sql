-- SPEC K1, E1: what was kept of one prospect's state, for a replay that does not begin at the beginning, into the database
-- `live`. Variable: contact.
create schema live.base;
create table live.base.snapshots as from work.base.snapshots;
create table live.base.readings as from work.base.readings;
create table live.base.opportunities as
from work.base.opportunities where external_contact_id = getvariable('contact');
create table live.base.rejected_records as
from work.base.rejected_records where contact_key = getvariable('contact');
create table live.base.held_opportunities as
from work.base.held_opportunities where contact_key = getvariable('contact');
create table live.base.calls as from work.base.calls where external_contact_id = getvariable('contact');
create table live.base.suspects as from work.base.suspects where external_contact_id = getvariable('contact');
create table live.base.merged as from work.base.merged where contact_key = getvariable('contact');
create table live.base.last_readings as from work.base.last_readings where contact_key = getvariable('contact');
create table live.base.older_keys as from work.base.older_keys where contact_key = getvariable('contact');
create table live.base.lead_listings as from work.base.lead_listings where contact_key = getvariable('contact');
