-- SPEC C5: which LeadPerfection contacts a Hatch contact is, according to deliveries and to the contact history.
-- Parameter: contact_ids (JSON list).
select distinct 'deliveries' as source, hatch_contact_id, external_contact_id, null as phone, null as email
from hatch_deliveries
where hatch_contact_id in (select value from json_each(:contact_ids))
union all
select 'history', hatch_contact_id, external_contact_id, phone, email
from contact_history
where hatch_contact_id in (select value from json_each(:contact_ids));
