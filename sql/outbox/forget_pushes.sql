-- SPEC E5: erase the pushes of these communications, and those to a prospect. Parameters: ids (JSON list), contact.
delete from communication_pushes
where communication_id in (select value from json_each(:ids)) or external_contact_id = :contact;
