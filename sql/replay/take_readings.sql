-- SPEC E4: the queue as this merge found it, and the readings that had been stored since the one before.
-- Variable: entry_no.
insert into pipeline.unmerged by name
select * exclude (entry_no) from live.pipeline.merge_log_readings where entry_no = getvariable('entry_no');

create or replace temp table new_readings as
select reading_no from pipeline.unmerged except select reading_no from raw.prospects;

insert into raw.leads by name
select * from live.raw.leads where reading_no in (select reading_no from new_readings);

insert into raw.prospects by name
select * from live.raw.prospects where reading_no in (select reading_no from new_readings);
