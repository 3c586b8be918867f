-- SPEC F1, F2: the readings of the lead feed whose contents are compared: those in the batch that have one before them,
-- with that one.
create or replace temp table contents (reading_no bigint, lead_key varchar, content varchar, names varchar[]);

-- Leads that need no comparison: their opportunities are from the reading before.
create or replace temp table stamped_anew as
select l.contact_key, l.lead_key
from pipeline.batch as b
inner join pipeline.current_leads as l on l.contact_key = b.contact_key
inner join opportunity_leads as o
    on o.external_contact_id = l.contact_key and o.external_id = l.external_id and o.last.lead_no = b.previous_no
where
    b.feed = 'leads'
    and not b.stale
    and is_stamped_anew(l.lastchangedon, l.dateentered, o.last.changed_at);

with settled as (
    select l.contact_key
    from pipeline.current_leads as l
    left join stamped_anew as a on a.contact_key = l.contact_key and a.lead_key = l.lead_key
    group by l.contact_key
    having bool_and(a.lead_key is not null)
)
select reading_no, previous_no
from pipeline.batch
where
    feed = 'leads'
    and not stale
    and previous_no is not null
    and contact_key not in (select contact_key from settled)
order by all;
