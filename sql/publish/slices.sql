-- SPEC Q1: the chosen contacts in slices of so many, in the order of their readings, so that what is joined fits into
-- memory and each record is read once; and what is written of each slice: readings and opportunities, by number and
-- place. Each table is searched once, however many slices there are. Variable: at_once (contacts).
create temp table latest as
select contact_key, reading_no from work.pipeline.last_readings where contact_key in (select contact_key from chosen);

create temp table sliced as
with last as (
    select c.contact_key, max(l.reading_no) as reading_no
    from chosen as c left join latest as l using (contact_key)
    group by c.contact_key
)
select contact_key, (row_number() over (order by reading_no) - 1) // getvariable('at_once') as slice from last;

create temp table chosen_places as
select o.rowid as place, s.slice, o.reading_no, o.lead_no
from work.main.opportunities as o inner join sliced as s on s.contact_key = o.external_contact_id;

-- what opportunities come from may be older than the latest reading
create temp table shown_readings as
with sources as (
    select distinct unnest([reading_no, lead_no]) as reading_no, slice from chosen_places
)
select l.reading_no, true as is_latest, s.slice from latest as l inner join sliced as s using (contact_key)
union all
select reading_no, false, slice from sources
where reading_no is not null and reading_no not in (select reading_no from latest);

select distinct slice from sliced order by slice;
