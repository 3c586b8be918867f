-- SPEC C3: does a push have anything to do? Parameters: now, doubt_before (pushes in doubt since before then may be
-- looked up), targets (JSON list of those that are on).
with paused as (
    select substr(name, 14) as target, value as until from facts where name like 'paused_until%' and value > :now
)
select
    exists (
        select 1 from communications as c
        where not exists (select 1 from communication_pushes as p where p.communication_id = c.communication_id)
    ) as landed,
    exists (
        select 1 from communication_pushes as p
        where
            p.state in ('pending', 'unmatched')
            and coalesce(p.next_try_at, '') <= :now
            and p.target in (select value from json_each(:targets))
            and p.target not in (select target from paused)
    )
    or exists (
        select 1 from communication_pushes as p
        where p.state = 'sending' and p.sending_since <= :doubt_before and coalesce(p.next_try_at, '') <= :now
    ) as due,
    exists (select 1 from communication_pushes where state in ('pending', 'unmatched', 'sending')) as open,
    (select until from paused where target = '') as paused_until,
    exists (select 1 from paused where target <> '') as partly_paused;
