-- SPEC J1: give new names of keys the next bits. Parameters: first, names.
insert into pipeline.record_keys
select $first - 1 + generate_subscripts($names::varchar[], 1), unnest($names::varchar[])
