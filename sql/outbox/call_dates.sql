-- SPEC C7: the call dates that are taken for a contact.
select call_date from communication_pushes
where target = 'call_log' and call_date is not null and external_contact_id = :external_contact_id;
