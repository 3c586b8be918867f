-- How many prospects a feed has shown so far, and whether it has been read by one sync only. Variable: feed.
select
    (select count(*) from pipeline.last_readings where feed = getvariable('feed')) as prospects,
    (
        select count(distinct sync_id) <= 1 from sync_runs where feed = getvariable('feed') and kind = 'sync'
    ) as is_first;
