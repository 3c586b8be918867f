-- SPEC M9: what was accepted just now.
select external_contact_id from outcomes;
