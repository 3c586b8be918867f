-- SPEC E5: Hatch's own words about an export may quote a record. Parameter: words (JSON list, in lower case).
update export_requests set error = null
where exists (select 1 from json_each(:words) where instr(lower(error), value) > 0);
