-- SPEC E5: erase which Hatch contact a prospect is. Parameters: contact, hatch_contacts (JSON list), phones, emails (JSON
-- lists, of nobody else).
delete from contact_history
where
    external_contact_id = :contact
    or (
        external_contact_id is null
        and (
            hatch_contact_id in (select value from json_each(:hatch_contacts))
            or phone in (select value from json_each(:phones))
            or lower(email) in (select value from json_each(:emails))
        )
    );
