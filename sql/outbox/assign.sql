-- SPEC C5: assigns a communication to a prospect by hand, if it has unmatched pushes.
update communications set assigned_contact_id = :external_contact_id
where
    communication_id = :communication_id
    and exists (
        select 1 from communication_pushes as p
        where p.communication_id = communications.communication_id and p.state = 'unmatched'
    )
returning communication_id;
