-- SPEC M3: staged opportunities whose contents differ from those of the opportunity. Parameters: one list per column.
create or replace temp table differing as
select unnest($contact::varchar[]) as contact_key, unnest($lead::varchar[]) as lead_key
