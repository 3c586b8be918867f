-- SPEC E1: the opportunities of a contact, the current one first, with the objects they were made of.
-- Parameter: contact.
select
    external_contact_id, external_id, external_created_at, external_updated_at, email, first_name, last_name, phone,
    status, external_updated_at_source, combination, external_created_local, first_synced_at, changed_at, read_at,
    gone_since, opportunity_place, prospect::varchar as prospect, lead::varchar as lead
from opportunity_details
where external_contact_id = $contact
order by opportunity_place;
