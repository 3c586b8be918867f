-- How the ledger of deliveries stands, to be seen with the asset: what is refused waits for a change of its record.
select state, count(*) as number from hatch_deliveries group by state order by state;
