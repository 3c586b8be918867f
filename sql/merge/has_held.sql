-- SPEC M9: a row if an opportunity is a suspect.
select 1 from outcomes where outcome = 'held' or known_created_local is not null limit 1;
