-- SPEC M6: nothing is deleted, and what comes back is no longer gone. Variable: now_at.
update opportunities
set gone_since = case when p.is_gone then getvariable('now_at') end
from presence as p
where
    opportunities.external_contact_id = p.external_contact_id
    and opportunities.external_id is not distinct from p.external_id
    and opportunities.external_created_local = p.external_created_local;
