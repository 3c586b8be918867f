-- SPEC E1: all that a replay of one prospect's merges needs, into the database `live`. Variable: contact.
insert into live.pipeline.merge_log_readings by name
select * from work.pipeline.merge_log_readings where contact_key = getvariable('contact');

insert into live.raw.readings by name
select * from work.raw.readings where contact_key = getvariable('contact');

-- what concerned others only is left out, but for what concerned all
insert into live.pipeline.merge_log by name
select *
from work.pipeline.merge_log
where
    event = 'rezone'
    or (event in ('accept', 'drop') and (len(chosen) = 0 or list_contains(chosen, getvariable('contact'))))
    or entry_no in (select entry_no from live.pipeline.merge_log_readings);

insert into live.pipeline.syncs by name
select * from work.pipeline.syncs where sync_id in (select sync_id from live.pipeline.merge_log);

insert into live.sync_runs by name
select * from work.sync_runs where sync_id in (select sync_id from live.raw.readings);
