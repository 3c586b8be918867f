-- SPEC C5: a row if this prospect has been read. Parameter: external_contact_id.
select external_contact_id from prospects where external_contact_id = $external_contact_id limit 1;
