-- SPEC E8: for want of which columns records are rejected, the most frequent first; a record may lack several.
with lacking as (select unnest(missing) as name from rejected_records)
select name, count(*) as number from lacking group by name order by number desc, name limit 10;
