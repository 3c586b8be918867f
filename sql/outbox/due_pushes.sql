-- SPEC C3: is there anything for a push to do? Parameters: now, doubt_before (a push of unknown outcome older than that
-- may be looked up), targets (JSON list of those that are on).
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
            and not exists (
                select 1 from facts as f
                where f.name in ('paused_until', 'paused_until:' || p.target) and f.value > :now
            )
    )
    or exists (
        select 1 from communication_pushes as p
        where
            p.state = 'sending' and p.sending_since <= :doubt_before
            and coalesce(p.next_try_at, '') <= :now
            and not exists (select 1 from facts as f where f.name = 'paused_until' and f.value > :now)
    ) as due;
