-- SPEC Q1: how fresh the file is and what it contains. Variables: now_at, zone, schema_version.
delete from published;
insert into published
select
    (select max(sync_id) from work.pipeline.syncs) as sync_id,
    getvariable('now_at') as published_at,
    (select count(*) from opportunities) as opportunities,
    (select count(*) from opportunities where gone_since is not null) as gone_opportunities,
    (select count(*) from rejected_records) as rejected_records,
    (select count(*) from raw.prospects) as prospect_readings,
    (select count(*) from raw.leads) as lead_readings,
    (select count(*) from raw.communications) as communications,
    (select count(*) from hatch_deliveries) as hatch_deliveries,
    getvariable('zone') as leadperfection_timezone,
    getvariable('schema_version') as schema_version;
