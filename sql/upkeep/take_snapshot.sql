-- SPEC K1, E4: keep the state that merges build on as of now, so that a replay can later begin here. `base.readings` are
-- the numbers of all readings that this state refers to; `is_base` marks where a replay begins, once what was before is
-- gone. Variable: now_at.
create schema if not exists base;
create table if not exists base.snapshots (
    taken_at timestamptz, entry_no bigint, sync_id bigint, is_base boolean
);
create table if not exists base.readings (taken_at timestamptz, reading_no bigint);
create table if not exists base.opportunities as select now() as taken_at, * from opportunities limit 0;
create table if not exists base.rejected_records as select now() as taken_at, * from rejected_records limit 0;
create table if not exists base.held_opportunities as select now() as taken_at, * from held_opportunities limit 0;
create table if not exists base.calls as select now() as taken_at, * from calls limit 0;
create table if not exists base.suspects as select now() as taken_at, * from pipeline.suspects limit 0;
create table if not exists base.merged as select now() as taken_at, * from pipeline.merged limit 0;
create table if not exists base.last_readings as select now() as taken_at, * from pipeline.last_readings limit 0;
create table if not exists base.older_keys as select now() as taken_at, * from pipeline.older_keys limit 0;
create table if not exists base.lead_listings as select now() as taken_at, * from pipeline.lead_listings limit 0;

insert into base.snapshots
select getvariable('now_at'), coalesce(max(entry_no), 0), coalesce(max(sync_id), 0), false from pipeline.merge_log;

insert into base.readings
with referred as (
    select unnest([reading_no, lead_no]) as reading_no from opportunities
    union
    select unnest([reading_no, lead_no]) from held_opportunities
    union
    select reading_no from pipeline.merged
    union
    select reading_no from pipeline.last_readings
    union
    select reading_no from pipeline.lead_listings
    union
    select unnest(from_json(older_numbers, '"map(varchar, bigint)"').map_values()) from pipeline.older_keys
)
select getvariable('now_at'), reading_no from referred where reading_no is not null;

insert into base.opportunities by name select getvariable('now_at') as taken_at, * from opportunities;
insert into base.rejected_records by name select getvariable('now_at') as taken_at, * from rejected_records;
insert into base.held_opportunities by name select getvariable('now_at') as taken_at, * from held_opportunities;
insert into base.calls by name select getvariable('now_at') as taken_at, * from calls;
insert into base.suspects by name select getvariable('now_at') as taken_at, * from pipeline.suspects;
insert into base.merged by name select getvariable('now_at') as taken_at, * from pipeline.merged;
insert into base.last_readings by name select getvariable('now_at') as taken_at, * from pipeline.last_readings;
insert into base.older_keys by name select getvariable('now_at') as taken_at, * from pipeline.older_keys;
insert into base.lead_listings by name select getvariable('now_at') as taken_at, * from pipeline.lead_listings;
