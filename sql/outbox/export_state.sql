-- SPEC C1: the state of a data source's export. Parameters: data_source, day_ago.
select
    max(case when data_source = :data_source then through end) as through,
    max(case when data_source = :data_source then requested_at end) as last_asked_at,
    min(requested_at) as first_any_at,
    max(requested_at) as last_any_at,
    sum(requested_at > :day_ago) as asked_today,
    cast(
        min(
            case
                when data_source = :data_source and outcome = 'too_large'
                    then julianday(end_date) - julianday(start_date)
            end
        ) as integer
    ) as too_many_days
from export_requests;
