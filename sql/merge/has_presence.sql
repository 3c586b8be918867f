-- SPEC M6: a row if an opportunity is gone now, or is back.
select 1 from presence limit 1;
