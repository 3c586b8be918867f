-- SPEC W7: which readings of the spool file are new. If a reading has the same JSON as the record's previous one in this
-- feed, it is only counted. Joins see only numbers, keys and digests. `is_news` and `is_unopened` are filled in by
-- look_at_stamps.sql, for records that a backfill or sweep has shown.
-- Variables: feed, is_history.
create or replace temp table judged as
with landed as (
    select reading_no, contact_key, digest, read_at from spooled()
),
before as (
    select
        l.contact_key,
        l.reading_no,
        l.read_at,
        l.digest,
        lag(l.digest, 1, s.digest) over (partition by l.contact_key order by l.reading_no) as digest_before,
        s.reading_no as stored_no,
        s.rowid as stored_place,
        getvariable('is_history') or coalesce(s.was_in_the_past, false) as was_in_the_past
    from landed as l
    left join pipeline.last_readings as s on s.feed = getvariable('feed') and s.contact_key = l.contact_key
)
select *, digest is distinct from digest_before as is_new, false as is_news, false as is_unopened from before;

-- what is left to do: how many are new, whether history has shown any, and whether any may have to be queued
select
    count(*) filter (is_new),
    bool_or(was_in_the_past),
    bool_or(is_new or was_in_the_past) or exists (from pipeline.unmerged) or exists (from rejected_records)
from judged;
