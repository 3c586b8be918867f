-- SPEC W8, F2: mark this batch as merged: log the merge, remember each prospect's last merged reading, empty the
-- queue.
-- Variables: now_at, sync_id.
insert into pipeline.merges
select
    getvariable('sync_id'),
    getvariable('now_at'),
    (select count(*) from pipeline.batch),
    (select count(distinct contact_key) from staged_opportunities),
    count(*) filter (outcome = 'inserted'),
    count(*) filter (outcome = 'updated'),
    count(*) filter (outcome = 'unchanged'),
    -- a reading older than the last merged one is stale as well (M4)
    count(*) filter (outcome = 'stale') + (select count(*) from pipeline.batch where stale),
    count(*) filter (outcome = 'rejected'),
    (select count(*) from presence where is_gone),
    (select count(*) from presence where not is_gone),
    count(*) filter (outcome = 'held')
from outcomes;

-- E4: log what this merge took from the queue, for a replay
insert into pipeline.merge_log
select
    nextval('pipeline.log_numbers'),
    'merge',
    getvariable('sync_id'),
    getvariable('now_at'),
    (select any_value(availability) from pipeline.batch),
    null;

insert into pipeline.merge_log_readings
select (select max(entry_no) from pipeline.merge_log), u.*
from pipeline.unmerged as u
where u.queue_no <= (select max(last_queue_no) from pipeline.batch);

delete from pipeline.merged
using pipeline.batch as b
where pipeline.merged.feed = b.feed and pipeline.merged.contact_key = b.contact_key and not b.stale;

insert into pipeline.merged
select feed, contact_key, reading_no, read_at from pipeline.batch where not stale;

delete from pipeline.older_keys
using pipeline.current_prospects as p
where pipeline.older_keys.contact_key = p.contact_key;

insert into pipeline.older_keys
select contact_key, older_keys, older_numbers from pipeline.current_prospects where older_keys is not null;

create or replace temp table newer_listings as
select n.external_id, n.contact_key, greatest(n.reading_no, coalesce(l.reading_no, 0)) as reading_no
from listed_now as n
left join known_listings as l on l.external_id = n.external_id and l.contact_key = n.contact_key;

delete from pipeline.lead_listings
where rowid in (
    select k.place
    from known_listings as k
    inner join newer_listings as l on l.external_id = k.external_id and l.contact_key = k.contact_key
);

insert into pipeline.lead_listings select external_id, contact_key, reading_no from newer_listings;

insert into pipeline.unpublished_contacts
select contact_key from pipeline.batch
union
select external_contact_id from presence;

delete from pipeline.unmerged where queue_no <= (select max(last_queue_no) from pipeline.batch);
delete from pipeline.batch;
