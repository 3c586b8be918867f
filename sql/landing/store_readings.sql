-- SPEC W7: append the readings of `landed` and queue them for the merge. A reading that is the same JSON as the last
-- one of its record in its feed is only counted; if that one is still unmerged or its record is rejected, it is queued
-- again, where it stands. Variables: sent_from, sent_to (LP's wall clock).
create or replace temp table judged as
with last_stored as (
    select p.feed, p.contact_key, max(p.reading_no) as reading_no, arg_max(p.digest, p.reading_no) as digest
    from raw.prospects as p
    where p.feed = getvariable('feed') and p.contact_key in (select contact_key from landed)
    group by all
),
before as (
    select
        l.contact_key,
        l.reading_no,
        l.read_at,
        l.digest,
        lag(l.digest, 1, s.digest) over (partition by l.contact_key order by l.reading_no) as digest_before,
        s.reading_no as stored_no
    from landed as l left join last_stored as s using (contact_key)
)
select *, digest is distinct from digest_before as is_new from before;

insert into pipeline.unmerged
with placed as (
    select
        contact_key,
        read_at,
        -- the place of the reading that this one equals, or its own
        coalesce(max(case when is_new then reading_no end) over chain, stored_no) as reading_no,
        is_new,
        reading_no as landed_no
    from judged
    window chain as (partition by contact_key order by reading_no rows unbounded preceding)
)
select
    nextval('pipeline.queue_numbers'),
    getvariable('feed'),
    p.contact_key,
    p.reading_no,
    p.read_at,
    getvariable('sent_from'),
    getvariable('sent_to'),
    getvariable('is_history')
from placed as p
where
    p.is_new
    or exists (
        select 1 from pipeline.unmerged as u where u.feed = getvariable('feed') and u.contact_key = p.contact_key
    )
    or exists (select 1 from rejected_records as r where r.contact_key = p.contact_key)
order by p.landed_no;

insert into raw.leads
select
    getvariable('sync_id'), getvariable('feed'), l.read_at, l.page, l.place,
    l.external_contact_id, l.external_id, l.record, l.content,
    l.reading_no, l.contact_key, l.lead_key, l.lead_place, l.fields
from landed_leads as l
where l.reading_no in (select reading_no from judged where is_new)
order by l.reading_no, l.lead_place;

insert into raw.prospects
select
    getvariable('sync_id'), getvariable('feed'), l.read_at, l.page, l.place,
    l.external_contact_id, l.record, l.content,
    l.reading_no, l.contact_key, l.fields, l.digest
from landed as l
where l.reading_no in (select reading_no from judged where is_new)
order by l.reading_no;

select count(*) filter (is_new) from judged;
