-- SPEC J3, M8: each opportunity with its rank within the contact, and both records, by their lowercase names:
-- prospect ->> '$.city'.
insert into opportunity_details
select
    r.external_contact_id, r.external_id, r.external_created_at, r.external_updated_at,
    r.email, r.first_name, r.last_name, r.phone, r.status,
    r.external_updated_at_source, r.combination, r.external_created_local, r.lead_changed_at,
    r.first_synced_at, r.changed_at, r.read_at, r.gone_since,
    r.opportunity_place,
    b.prospect, b.lead
from work.main.ranked_opportunities as r inner join work.pipeline.opportunity_objects as b using (object_no);
