-- SPEC J5: signs, in what syncs read, that LP_TIMEZONE is not LeadPerfection's time zone.
-- `ahead`: several records of the last day have timestamps more than half an hour later than they were read.
-- (LeadPerfection's clock may be minutes off; a wrong time zone is hours off.)
-- `behind`: in the last three days, at least eight syncs at the usual pace read something, and even the newest
-- timestamps were all more than 0.8 hours old. With the right zone, a change shows up within minutes.
-- With only a few changes there is no verdict. Variables: now_at, zone.
with asked as (
    select
        sync_id,
        feed,
        min(started_at) - lag(max(started_at)) over (partition by feed order by sync_id) <= interval 30 minutes as is_prompt
    from sync_runs
    where kind = 'sync' and started_at > getvariable('now_at') - interval 3 days
    group by sync_id, feed
),
-- A sign is at most a day off. Few records of a large reading have such a stamp: the others are not taken apart. By
-- their times, a backfill's readings are left out before they are unpacked.
days as (
    select distinct on (read_at)
        read_at,
        [strftime(timezone(getvariable('zone'), read_at) + to_days(days), '%Y-%m-%d') for days in [-1, 0, 1, 2]] as near
    from raw.readings
    where read_at > getvariable('now_at') - interval 3 days and sync_id in (select sync_id from asked)
),
near as (
    select r.sync_id, r.feed, r.contact_key, r.read_at, coalesce(r.normal, r.record) as fields
    from raw.readings as r
    inner join days as d on d.read_at = r.read_at
    where (r.sync_id, r.feed) in (select (sync_id, feed) from asked)
        and (
            contains(fields::varchar, d.near[1]) or contains(fields::varchar, d.near[2])
            or contains(fields::varchar, d.near[3]) or contains(fields::varchar, d.near[4])
        )
),
records as (
    select
        sync_id,
        feed,
        contact_key,
        read_at,
        from_json(
            fields,
            '{
                "lastchanged": "VARCHAR",
                "leads": [{
                    "dateentered": "VARCHAR", "lastchangedon": "VARCHAR",
                    "appointments": [{"lastchangedon": "VARCHAR"}],
                    "jobs": [{"lastchanged": "VARCHAR", "lastchangedon": "VARCHAR"}]
                }]
            }'
        ) as prospect
    from near
),
leads as (
    select sync_id, feed, contact_key, read_at, unnest(prospect.leads) as lead from records
),
stamps as (
    select sync_id, feed, contact_key, read_at, prospect.lastchanged as stamp from records
    union all
    select sync_id, feed, contact_key, read_at, unnest(pipeline.lead_stamps(lead)) from leads
),
ages as (
    select
        sync_id,
        feed,
        contact_key,
        read_at,
        epoch(read_at - pipeline.lp_stamp(stamp, getvariable('zone'), read_at)) / 3600 as hours
    from stamps
),
newest as (
    select a.sync_id, min(a.hours) as hours
    from ages as a inner join asked as s on s.sync_id = a.sync_id and s.feed = a.feed and s.is_prompt
    where a.hours is not null
    group by a.sync_id
)
select 'ahead' as sign, -min(hours) as hours, count(distinct contact_key) as records
from ages
where hours < -0.5 and read_at > getvariable('now_at') - interval 24 hours
having count(distinct contact_key) >= 3
union all
select 'behind', min(hours), count(*)
from newest
having count(*) >= 8 and min(hours) > 0.8;
