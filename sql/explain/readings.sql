-- SPEC E1: the stored readings of a prospect in both feeds, in reading order, and whether each still waits for its merge.
-- `kind` is that of the sync which read it. Parameter: contact.
with kinds as (
    select sync_id, feed, any_value(kind) as kind from sync_runs group by sync_id, feed
)
select
    r.reading_no,
    r.sync_id,
    r.feed,
    r.page,
    r.place,
    r.read_at,
    r.digest,
    coalesce(k.kind, 'sync') as kind,
    [lead.id for lead in from_json(coalesce(r.normal, r.record), '{"leads": [{"id": "VARCHAR"}]}').leads] as lead_ids,
    exists (from pipeline.unmerged as u where u.reading_no = r.reading_no) as is_unmerged
from raw.readings as r
left join kinds as k on k.sync_id = r.sync_id and k.feed = r.feed
where r.contact_key = $contact
order by r.reading_no;
