-- SPEC E5: the ids of all prospects in work.duckdb, to find those who were erased and are back with an older copy.
select contact_key from raw.readings
union
select external_contact_id from opportunities
order by all;
