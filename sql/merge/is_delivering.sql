-- SPEC D1: a row if opportunities go to Hatch. Variable: delivering.
select 1 where getvariable('delivering');
