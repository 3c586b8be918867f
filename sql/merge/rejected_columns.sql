-- SPEC J7: how many records this merge rejected for each missing column. No personal data: names of columns.
with missing as (select unnest(missing) as column_name from rejections)
select column_name, count(*) as records from missing group by column_name order by records desc, column_name;
