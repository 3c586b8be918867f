-- SPEC E5: erase the deliveries of a prospect to Hatch. Parameter: contact.
delete from hatch_deliveries where external_contact_id = :contact;
