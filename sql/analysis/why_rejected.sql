-- Why are records rejected instead of becoming opportunities? Times are in the account's time zone.
with missing_columns as (
    select unnest(missing) as missing_column, combination, external_contact_id, first_rejected_at, last_rejected_at
    from rejected_records
)
select
    m.missing_column,
    m.combination,
    count(*) as records,
    timezone(p.leadperfection_timezone, min(m.first_rejected_at)) as since,
    list(m.external_contact_id order by m.last_rejected_at desc, m.external_contact_id)[1:5] as examples
from missing_columns as m cross join published as p
group by m.missing_column, m.combination, p.leadperfection_timezone
order by records desc, m.missing_column, m.combination;
