-- SPEC M6, J7: leads that moved away and left their prospect without any. Such a prospect is never in the lead feed
-- again, so two others have to say it: the prospect feed, that the prospect has no leads (an empty list, not a missing
-- one: that feed's records may come without leads), and the lead feed, later, that another prospect has the lead.
create or replace temp table moved as
with listed as (
    select distinct l.external_id
    from pipeline.batch as b inner join raw.leads as l on l.reading_no = b.reading_no
    where b.feed = 'leads'
),
known as (
    select external_contact_id, external_id from opportunities where external_id is not null
    union
    select external_contact_id, external_id from rejected_records where combination = 'lead+prospect'
),
concerned as (
    select *
    from known
    where
        external_contact_id in (select contact_key from pipeline.batch)
        or external_id in (select external_id from listed)
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
    where contact_key in (select external_contact_id from concerned)
    group by contact_key
    having prospect_reading_no > lead_reading_no
),
without_leads as (
    select n.contact_key, l.sync_id
    from newest as n
    inner join raw.prospects as p on p.reading_no = n.prospect_reading_no
    inner join raw.prospects as l on l.reading_no = n.lead_reading_no
    where list_contains(list_transform(json_keys(p.record), lambda name: lower(name)), 'leads')
)
select distinct c.external_contact_id, c.external_id
from concerned as c
inner join without_leads as w on w.contact_key = c.external_contact_id
inner join raw.leads as o
    on
        o.external_id = c.external_id
        and o.contact_key <> c.external_contact_id
        and o.feed = 'leads'
        and o.sync_id > w.sync_id
-- what is still unmerged says nothing yet (E4)
where exists (
    select 1 from readings as r
    where r.feed = 'leads' and r.contact_key = o.contact_key and r.reading_no >= o.reading_no
);
