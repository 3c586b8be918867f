-- SPEC E5: likewise what is to be looked up first. Parameter: ids (JSON list).
delete from pushes_to_look_for where communication_id in (select value from json_each(:ids));
