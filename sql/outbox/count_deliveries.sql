-- Deliveries by state, shown with the asset; a refused one waits until its record changes.
select state, count(*) as number from hatch_deliveries group by state order by state;
