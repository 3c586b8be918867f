-- SPEC E8: each contact's current opportunity by status; the ten most frequent statuses, and all others together.
with counted as (
    select coalesce(nullif(trim(status), ''), '(no status)') as name, count(*) as number
    from current_opportunities
    where gone_since is null
    group by name
),
ranked as (
    select *, row_number() over (order by number desc, name) as place from counted
)
select case when place <= 10 then name else 'other' end as name, sum(number)::bigint as number
from ranked
group by case when place <= 10 then name else 'other' end, place > 10
order by min(place);
