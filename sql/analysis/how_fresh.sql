-- How fresh is the data, and did the last reads of each feed succeed? Times are in the account's time zone.
select
    r.feed,
    timezone(p.leadperfection_timezone, max(r.window_to) filter (r.watermark_moved)) as read_up_to,
    timezone(p.leadperfection_timezone, p.published_at) as published_at,
    count(*) filter (r.outcome = 'failed' and r.started_at > p.published_at - interval 24 hours) as failed_today,
    arg_max(r.error, r.started_at) filter (r.outcome = 'failed') as last_error
from sync_runs as r cross join published as p
group by r.feed, p.leadperfection_timezone, p.published_at
order by r.feed;
