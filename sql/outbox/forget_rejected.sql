-- SPEC E5: erase what could not be read and mentions a prospect. Parameter: records (JSON list).
delete from rejected_communications where record in (select value from json_each(:records));
