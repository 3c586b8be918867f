-- SPEC E5: likewise in the outbox.
select external_contact_id from hatch_deliveries
union
select external_contact_id from communications where external_contact_id is not null
union
select external_contact_id from communication_pushes where external_contact_id is not null
union
select external_contact_id from contact_history where external_contact_id is not null;
