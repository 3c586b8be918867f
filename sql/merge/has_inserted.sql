-- SPEC E6: a row if something is inserted.
select 1 from outcomes where outcome = 'inserted' limit 1;
