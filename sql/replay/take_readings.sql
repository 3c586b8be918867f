-- SPEC E4: fill the queue as this merge found it, and add the readings stored since the merge before it,
-- with their syncs.
-- Variable: entry_no.
insert into pipeline.unmerged by name
select * exclude (entry_no) from live.pipeline.merge_log_readings where entry_no = getvariable('entry_no');

create or replace temp table new_readings as
select reading_no from pipeline.unmerged except select reading_no from raw.prospects;

insert into raw.leads by name
select * from live.raw.leads where reading_no in (select reading_no from new_readings);

insert into raw.prospects by name
select * from live.raw.prospects where reading_no in (select reading_no from new_readings);

-- F2: what kind of sync stored them
insert into sync_runs by name
select * from live.sync_runs
where sync_id in (select p.sync_id from raw.prospects as p inner join new_readings using (reading_no))
except
select * from sync_runs;
