-- SPEC W7: append the readings of the spool file and queue them for the merge. If a reading has the same JSON as the
-- record's previous one in this feed, it is only counted; it is queued again, in its original place, if that one is
-- still unmerged or its record is rejected. The same applies to a record that a backfill or sweep has shown, whose
-- windows differ from a sync's. JSON is streamed from the spool file; joins see only numbers, keys and digests.
-- Variables: sync_id, feed, is_history, zone; sent_from, sent_to, news_from (LeadPerfection's local time).
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
        getvariable('is_history') or coalesce(s.was_in_the_past, false) as was_in_the_past
    from landed as l
    left join pipeline.last_readings as s on s.feed = getvariable('feed') and s.contact_key = l.contact_key
)
select *, digest is distinct from digest_before as is_new from before;

-- what a window that differs from a sync's may have shown first: only there a record's timestamps are looked at
create or replace temp table looked_at as
select
    s.reading_no,
    s.external_contact_id,
    from_json(
        coalesce(s.normal, s.record),
        '{
            "lastchanged": "VARCHAR", "dateadded": "VARCHAR",
            "leads": [{
                "id": "VARCHAR", "dateentered": "VARCHAR", "lastchangedon": "VARCHAR",
                "appointments": [{"lastchangedon": "VARCHAR"}],
                "jobs": [{"lastchanged": "VARCHAR", "lastchangedon": "VARCHAR"}]
            }]
        }'
    ) as prospect
from spooled() as s
where s.reading_no in (select reading_no from judged where was_in_the_past);

create or replace temp table stamped_leads as
with leads as (
    select reading_no, external_contact_id, unnest(prospect.leads) as lead from looked_at
),
stamps as (
    select
        reading_no,
        external_contact_id,
        lead.id as external_id,
        pipeline.lp_wall(unnest(pipeline.lead_stamps(lead)), getvariable('zone')) as stamp
    from leads
)
select reading_no, external_contact_id, external_id, stamp
from stamps
where stamp >= least(getvariable('sent_from'), coalesce(getvariable('news_from')::timestamp, getvariable('sent_from')));

-- D1: what the next sync would read anyway is not history, even if a backfill or sweep reads it first
create or replace temp table news as
select reading_no from stamped_leads where stamp >= getvariable('news_from')::timestamp
union
select reading_no
from looked_at
where
    greatest(
        pipeline.lp_wall(prospect.lastchanged, getvariable('zone')),
        pipeline.lp_wall(prospect.dateadded, getvariable('zone'))
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

insert into raw.readings
select
    s.reading_no, getvariable('sync_id'), getvariable('feed'), s.page, s.place, s.read_at,
    s.contact_key, s.external_contact_id, s.digest, s.key_bits, s.record, s.normal
from spooled() as s
where s.reading_no in (select reading_no from judged where is_new);

create or replace temp table newest as
select
    contact_key,
    max(reading_no) as reading_no,
    arg_max(digest, reading_no) as digest,
    bool_or(was_in_the_past) as was_in_the_past
from judged
where is_new
group by contact_key;

delete from pipeline.last_readings
using newest as n
where pipeline.last_readings.feed = getvariable('feed') and pipeline.last_readings.contact_key = n.contact_key;

insert into pipeline.last_readings
select getvariable('feed'), contact_key, reading_no, digest, was_in_the_past from newest;

insert into pipeline.unpublished_contacts select contact_key from newest;

select count(*) filter (is_new) from judged;
