-- Opportunities say which readings they come from, instead of holding copies of both objects.
insert into pipeline.last_readings
select
    feed, contact_key, max(reading_no), arg_max(digest, reading_no),
    bool_or(sync_id in (select r.sync_id from sync_runs as r where r.kind <> 'sync'))
from raw.readings
group by feed, contact_key;

insert into pipeline.lead_listings
select l.external_id, l.contact_key, max(l.reading_no)
from raw.leads as l
inner join pipeline.merged as m on m.feed = l.feed and m.contact_key = l.contact_key and m.reading_no >= l.reading_no
where l.feed = 'leads' and l.external_id is not null
group by l.external_id, l.contact_key;

insert into pipeline.older_keys select contact_key, older_keys, older_numbers from older_keys;

create temp table lead_sources as
select
    reading_no, feed, contact_key, lead_key, external_id,
    row_number() over (partition by reading_no order by lead_place) as lead_place
from raw.leads;

create temp table sources as
select
    o.object_no,
    arg_min(l.reading_no, {'feed': l.feed, 'no': -l.reading_no, 'place': l.lead_place}) as lead_no,
    arg_min(l.lead_place, {'feed': l.feed, 'no': -l.reading_no, 'place': l.lead_place}) as lead_place
from opportunities as o
inner join pipeline.opportunity_objects as b on b.object_no = o.object_no and b.lead is not null
inner join lead_sources as l
    on
        l.contact_key = o.external_contact_id
        and l.reading_no <= o.reading_no
        and (o.external_id is null or l.external_id = o.external_id)
group by o.object_no;

create temp table pointing as
select o.* exclude (content_digest, object_no), k.older_keys, s.lead_no, s.lead_place::integer as lead_place
from opportunities as o
left join sources as s on s.object_no = o.object_no
left join pipeline.older_keys as k on k.contact_key = o.external_contact_id;

create temp table held as
select
    h.* exclude (
        prospect, lead, prospect_content, lead_content, content_digest, created_read_at, updated_read_at, lead_read_at
    ),
    k.older_keys,
    s.reading_no as lead_no,
    s.lead_place::integer as lead_place
from held_opportunities as h
left join pipeline.older_keys as k on k.contact_key = h.contact_key
left join lead_sources as s
    on s.contact_key = h.contact_key and s.lead_key = h.lead_key and s.reading_no <= h.reading_no and h.lead is not null
qualify row_number() over (
    partition by h.contact_key, h.lead_key, h.external_created_local order by s.feed, s.reading_no desc
) = 1;

drop view if exists ranked_opportunities;
drop table opportunities;
create table opportunities as select * from pointing;
drop table pipeline.opportunity_objects;
drop table held_opportunities;
create table held_opportunities as select * from held;
drop table raw.prospects;
drop table raw.leads;

-- what is staged will be staged again
delete from pipeline.batch;
drop table if exists staged_opportunities;
drop table if exists pipeline.joined;
drop table if exists pipeline.current_prospects;
drop table if exists pipeline.current_leads;
