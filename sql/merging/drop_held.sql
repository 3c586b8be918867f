-- SPEC M9: on a person's word, what is held is never to be inserted; it stays known, so that a later reading is dropped too.
update held_opportunities
set state = 'dropped'
where
    state = 'held'
    and ((select count(*) from chosen) = 0 or external_contact_id in (select external_contact_id from chosen))
returning external_contact_id;
