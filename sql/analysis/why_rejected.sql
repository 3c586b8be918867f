-- Why are records rejected instead of becoming opportunities?
with missing_columns as (
    select unnest(missing) as missing_column, combination, external_contact_id, first_rejected_at, last_rejected_at
    from rejected_records
)
select
    missing_column,
    combination,
    count(*) as records,
    min(first_rejected_at) as since,
    list(external_contact_id order by last_rejected_at desc)[1:5] as examples
from missing_columns
group by missing_column, combination
order by records desc;
