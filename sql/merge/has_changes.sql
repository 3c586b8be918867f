-- SPEC M2, M3: a row if something is inserted or updated.
select 1 from outcomes where outcome in ('inserted', 'updated') limit 1;
