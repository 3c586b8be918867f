-- How fresh is the data, and did the last reads of each feed succeed?
select
    r.feed,
    max(r.window_to) filter (r.watermark_moved) as read_up_to,
    max(p.published_at) as published_at,
    count(*) filter (r.outcome = 'failed' and r.started_at > p.published_at - interval 24 hours) as failed_today,
    arg_max(r.error, r.started_at) filter (r.outcome = 'failed') as last_error
from sync_runs as r cross join published as p
group by r.feed
order by r.feed;
