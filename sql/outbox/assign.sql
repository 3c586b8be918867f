-- SPEC C5: a person says whose communication it is.
update communications set assigned_contact_id = :external_contact_id
where communication_id = :communication_id
returning communication_id;
