-- SPEC E4: fill the queue as this merge found it, and add the readings stored since the merge before it, with what kind
-- of sync stored them (F2). Variable: entry_no.
insert into pipeline.unmerged by name
select * exclude (entry_no) from live.pipeline.merge_log_readings where entry_no = getvariable('entry_no');

create or replace temp table new_readings as
select reading_no from pipeline.unmerged except select reading_no from raw.readings;

insert into raw.readings by name
select * from live.raw.readings where reading_no in (select reading_no from new_readings);

create or replace temp table newest as
select
    r.feed, r.contact_key, max(r.reading_no) as reading_no, arg_max(r.digest, r.reading_no) as digest,
    bool_or(r.sync_id in (select s.sync_id from live.sync_runs as s where s.kind <> 'sync')) as was_in_the_past
from raw.readings as r inner join new_readings as n on n.reading_no = r.reading_no
group by r.feed, r.contact_key;

create or replace temp table newer as
select n.* replace (n.was_in_the_past or coalesce(l.was_in_the_past, false) as was_in_the_past)
from newest as n
left join pipeline.last_readings as l on l.feed = n.feed and l.contact_key = n.contact_key;

delete from pipeline.last_readings
using newer as n
where pipeline.last_readings.feed = n.feed and pipeline.last_readings.contact_key = n.contact_key;

insert into pipeline.last_readings select * from newer;
