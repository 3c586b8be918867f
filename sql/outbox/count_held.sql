-- SPEC E3: what waits for a person.
select state, count(*) as number from communication_pushes where state in ('uncertain', 'failed') group by state;
