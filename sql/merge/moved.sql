-- SPEC M6, J7: leads that moved away and left their prospect without any. Such a prospect is never in the lead feed
-- again, so two others have to say it: the prospect feed, that the prospect has no leads (an empty list, not a missing
-- one: that feed's records may come without leads), and the lead feed, later, that another prospect has the lead.
create or replace temp table listed_now as
with current as (
    select external_id, contact_key, lead_no as reading_no
    from pipeline.current_leads
    where contact_key in (select contact_key from pipeline.batch where feed = 'leads' and not stale)
),
-- readings that were outdated when they were merged count too: the lead was there once
outdated as (
    select unnest(from_json(coalesce(normal, record), '{"leads": [{"id": "varchar"}]}').leads).id as external_id,
        contact_key, reading_no
    from raw.readings
    where reading_no in (
        select reading_no from pipeline.unmerged
        where feed = 'leads' and queue_no <= (select max(last_queue_no) from pipeline.batch)
        except
        select reading_no from current
    )
),
listed as (
    select * from current
    union all
    select * from outdated
)
select external_id, contact_key, max(reading_no) as reading_no,
    bool_or(reading_no in (select reading_no from pipeline.batch)) as is_in_batch
from listed
where external_id is not null
group by external_id, contact_key;

create or replace temp table moved as
with known as (
    select external_contact_id, external_id from opportunities where external_id is not null
    union
    select external_contact_id, external_id from rejected_records where combination = 'lead+prospect'
),
concerned as (
    select *
    from known
    where
        external_contact_id in (select contact_key from pipeline.batch)
        or external_id in (select external_id from listed_now where is_in_batch)
),
listings as (
    select external_id, contact_key, reading_no from listed_now
    union all
    select * from pipeline.lead_listings
),
elsewhere as (
    select c.external_contact_id, c.external_id, max(l.reading_no) as reading_no
    from concerned as c
    inner join listings as l on l.external_id = c.external_id and l.contact_key <> c.external_contact_id
    group by all
),
readings as (
    select feed, contact_key, reading_no from pipeline.batch where not stale
    union all
    select feed, contact_key, reading_no from pipeline.merged
),
newest as (
    select
        contact_key,
        max(reading_no) filter (feed = 'leads') as lead_reading_no,
        max(reading_no) filter (feed = 'prospects') as prospect_reading_no
    from readings
    where contact_key in (select external_contact_id from elsewhere)
    group by contact_key
    having prospect_reading_no > lead_reading_no
),
without_leads as (
    select n.contact_key, l.sync_id
    from newest as n
    inner join raw.readings as p on p.reading_no = n.prospect_reading_no
    inner join raw.readings as l on l.reading_no = n.lead_reading_no
    where len(from_json(coalesce(p.normal, p.record), '{"leads": ["json"]}').leads) = 0
)
select e.external_contact_id, e.external_id
from elsewhere as e
inner join without_leads as w on w.contact_key = e.external_contact_id
inner join raw.readings as o on o.reading_no = e.reading_no and o.sync_id > w.sync_id;
