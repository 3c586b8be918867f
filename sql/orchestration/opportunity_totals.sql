-- How many opportunities and rejected records there are.
select
    (select count(*) from opportunities) as opportunities,
    (select count(*) from rejected_records) as rejected;
