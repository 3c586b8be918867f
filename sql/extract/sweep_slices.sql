-- SPEC S1: where a sweep's slice of all history begins, and where its pieces end: a piece for so many prospects, by the
-- instant they were entered, so that it takes few calls whatever the density. A lead may well be older than its prospect
-- (prospects are merged and re-dated), so that both count. The piece that reaches the newest one ends now.
-- Variables: begin (null: the oldest one), now_at, per_piece, parts, zone.
with entries as (
    select contact_key, min(pipeline.lp_instant(fields ->> '$.dateadded', getvariable('zone'))) as entered_at
    from raw.prospects
    group by contact_key
    union all
    select contact_key, min(pipeline.lp_instant(fields ->> '$.dateentered', getvariable('zone')))
    from raw.leads
    group by contact_key, lead_key
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
