-- SPEC Q1: so many contacts in slices, in the order of their readings, each of which is then read once: `chosen` becomes one
-- slice after the other. Variable: at_once (contacts).
create temp table sliced as
with last as (
    select c.contact_key, max(l.reading_no) as reading_no
    from chosen as c left join work.pipeline.last_readings as l using (contact_key)
    group by c.contact_key
)
select contact_key, (row_number() over (order by reading_no) - 1) // getvariable('at_once') as slice from last;

select distinct slice from sliced order by slice;
