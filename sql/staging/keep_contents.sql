-- SPEC F1: contents as JSON text; lead_key is null for the prospect's own. `names` are all its keys, in lower case.
-- Parameters: one list per column.
insert into contents
select unnest($no::bigint[]), unnest($key::varchar[]), unnest($content::varchar[]), unnest($names::varchar[][])
