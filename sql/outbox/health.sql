-- SPEC E7, N1: what went out today, and what waits for people; one row. Parameters: today and day_ago (instants), targets
-- (JSON list of those that are on).
with waiting as (
    select target, count(*) as number
    from communication_pushes
    where state in ('pending', 'sending') and target in (select value from json_each(:targets))
    group by target
),
landed as (
    select count(*) as number
    from communications as c
    where not exists (select 1 from communication_pushes as p where p.communication_id = c.communication_id)
)
select
    (select count(*) from hatch_deliveries where state = 'delivered' and updated_at >= :today) as delivered_today,
    (select count(*) from hatch_deliveries where state = 'refused') as refused,
    (select count(*) from hatch_deliveries where state = 'refused' and updated_at >= :day_ago) as refused_lately,
    (
        select json_group_object(target, number) from (
            select target, count(*) as number
            from communication_pushes
            where state = 'sent' and updated_at >= :today
            group by target
        )
    ) as pushed_today,
    coalesce((select sum(number) from waiting), 0)
    + case when :targets = '[]' then 0 else (select number from landed) end as pushes_waiting,
    (select count(*) from communication_pushes where state = 'unmatched') as unmatched,
    (select count(*) from communication_pushes where state = 'uncertain') as uncertain,
    (select count(*) from communication_pushes where state = 'failed') as failed,
    (
        select json_group_object(target, why) from (
            select substr(name, 9) as target, value as why
            from facts
            where name like 'stopped%' and value <> ''
            and exists (select 1 from waiting where target = substr(name, 9) or substr(name, 9) = '')
            order by name
        )
    ) as stopped;
