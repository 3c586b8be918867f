-- SPEC E3: pushes that need a decision.
select state, count(*) as number from communication_pushes where state in ('uncertain', 'failed') group by state;
