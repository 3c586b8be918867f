-- SPEC M6, J7: leads that moved away and left their prospect without any. Such a prospect is never in the lead feed
-- again, so two others have to say it: the prospect feed, that the prospect has no leads (an empty list, not a missing
-- one: that feed's records may come without leads), and the lead feed, later, that another prospect has the lead.
insert into moved
with readings as (
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
