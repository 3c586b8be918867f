-- SPEC E5: erase these communications. Parameter: ids (JSON list).
delete from communications where communication_id in (select value from json_each(:ids));
