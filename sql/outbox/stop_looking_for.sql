-- SPEC R5: from now on this push is in doubt, so that it is looked up in any case.
delete from pushes_to_look_for where communication_id = :communication_id and target = :target;
