-- SPEC J7: a row if a record is rejected, or was.
select 1 from outcomes where outcome = 'rejected'
union all
select 1 from rejected_records
limit 1;
