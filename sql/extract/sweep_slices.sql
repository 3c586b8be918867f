-- SPEC S1: splits a sweep's slice of history into pieces of per_piece prospects by entry date, so that a sweep takes
-- few calls no matter how dense the history is. Prospects are merged and re-dated, so a lead can be older than its
-- prospect: both dates count. The piece with the newest prospect ends now.
-- Variables: begin (null for the oldest one), now_at, per_piece, parts, zone.
with records as (
    select
        contact_key,
        from_json(
            coalesce(normal, record), '{"dateadded": "VARCHAR", "leads": [{"dateentered": "VARCHAR"}]}'
        ) as prospect
    from raw.readings
),
entries as (
    select contact_key, min(pipeline.lp_instant(prospect.dateadded, getvariable('zone'))) as entered_at
    from records
    group by contact_key
    union all
    select contact_key, pipeline.lp_instant(unnest(prospect.leads).dateentered, getvariable('zone'))
    from records
),
contacts as (
    select distinct contact_key, entered_at from entries where entered_at is not null
),
bounds as (
    select
        coalesce(getvariable('begin')::timestamptz, min(entered_at) - interval 1 day) as begins_at,
        ceil(count(*) / getvariable('parts')) as most
    from contacts
),
ahead as (
    select c.entered_at, row_number() over (order by c.entered_at) as place, count(*) over () as left_over
    from contacts as c cross join bounds as b
    where c.entered_at > b.begins_at and c.entered_at < getvariable('now_at')
),
cut as (
    select max(entered_at) as ends_at, max(place) = any_value(left_over) as is_last
    from ahead cross join bounds as b
    where place <= b.most
    group by (place - 1) // getvariable('per_piece')
)
select b.begins_at, case when bool_or(c.is_last) then getvariable('now_at') else c.ends_at end as ends_at
from cut as c cross join bounds as b
group by b.begins_at, c.ends_at
order by c.ends_at;
