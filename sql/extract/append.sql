-- SPEC W7: append the new readings of the spool file, and remember them as the last of their records. JSON is streamed.
-- Variables: sync_id, feed.
insert into raw.readings
select
    s.reading_no, getvariable('sync_id'), getvariable('feed'), s.page, s.place, s.read_at,
    s.contact_key, s.external_contact_id, s.digest, s.key_bits, s.record, s.normal
from spooled() as s
-- no join, for which DuckDB would keep the records in memory instead of the numbers, and store them in another order
where s.reading_no not in (select reading_no from judged where not is_new);

create or replace temp table newest as
select
    contact_key,
    max(reading_no) as reading_no,
    arg_max(digest, reading_no) as digest,
    bool_or(was_in_the_past) as was_in_the_past
from judged
where is_new
group by contact_key;

delete from pipeline.last_readings where rowid in (select stored_place from judged where is_new);

insert into pipeline.last_readings
select getvariable('feed'), contact_key, reading_no, digest, was_in_the_past from newest;

insert into pipeline.unpublished_contacts select contact_key from newest;
