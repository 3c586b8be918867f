-- SPEC W7: append the readings in `landed` and queue them for the merge. If a reading has the same JSON as the
-- record's previous one in this feed, it is only counted; it is queued again, in its original place, if that one is
-- still unmerged or its record is rejected. The same applies to a record that a backfill or sweep has shown, whose
-- windows differ from a sync's.
-- Variables: sync_id, feed, is_history, zone; sent_from, sent_to, news_from (LeadPerfection's local time).
create or replace temp table stamped_leads as
with stamps as (
    select
        reading_no,
        external_contact_id,
        external_id,
        pipeline.lp_wall(unnest(pipeline.lead_stamps(fields)), getvariable('zone')) as stamp
    from landed_leads
)
select reading_no, external_contact_id, external_id, stamp
from stamps
where stamp >= least(getvariable('sent_from'), coalesce(getvariable('news_from')::timestamp, getvariable('sent_from')));

-- D1: what the next sync would read anyway is not history, even if a backfill or sweep reads it first
create or replace temp table news as
select reading_no from stamped_leads where stamp >= getvariable('news_from')::timestamp
union
select reading_no
from landed
where
    greatest(
        pipeline.lp_wall(fields ->> '$.lastchanged', getvariable('zone')),
        pipeline.lp_wall(fields ->> '$.dateadded', getvariable('zone'))
    ) >= getvariable('news_from')::timestamp;

-- F2: leads with a timestamp in this window and no opportunity yet
create or replace temp table unopened as
select distinct s.reading_no
from stamped_leads as s
where
    getvariable('feed') = 'leads'
    and s.stamp between getvariable('sent_from') and getvariable('sent_to')
    and s.external_id is not null
    and not exists (
        select 1 from opportunities as o
        where o.external_contact_id = s.external_contact_id and o.external_id = s.external_id
    );

create or replace temp table judged as
with last_stored as (
    select p.feed, p.contact_key, max(p.reading_no) as reading_no, arg_max(p.digest, p.reading_no) as digest,
        bool_or(p.sync_id in (select r.sync_id from sync_runs as r where r.kind <> 'sync')) as was_in_the_past
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
        s.reading_no as stored_no,
        getvariable('is_history') or s.was_in_the_past as was_in_the_past
    from landed as l left join last_stored as s using (contact_key)
)
select *, digest is distinct from digest_before as is_new from before;

insert into pipeline.unmerged
with placed as (
    select
        contact_key,
        read_at,
        -- its own number, or that of the identical reading before it
        coalesce(max(case when is_new then reading_no end) over chain, stored_no) as reading_no,
        is_new,
        was_in_the_past,
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
    getvariable('is_history') and p.landed_no not in (select reading_no from news)
from placed as p
where
    p.is_new
    or (p.was_in_the_past and p.landed_no in (select reading_no from unopened))
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
