-- SPEC R5: this push is in doubt from now on, which takes it from here.
delete from pushes_to_look_for where communication_id = :communication_id and target = :target;
