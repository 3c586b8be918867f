-- SPEC C1: what is known of a data source's export. Parameters: data_source, day_ago.
select
    max(case when data_source = :data_source then through end) as through,
    max(case when data_source = :data_source then requested_at end) as last_asked_at,
    max(requested_at) as last_any_at,
    sum(requested_at > :day_ago) as asked_today,
    (
        select json_array(start_date, end_date, outcome) from export_requests
        where data_source = :data_source
        order by requested_at desc
        limit 1
    ) as last_request
from export_requests;
