-- SPEC C4: a communication that is seen for the first time gets a row for each target: pending where the target was on
-- when it arrived (or is, or is not, by this run's override), else skipped. Parameters: overrides (JSON, target to true,
-- false or null), since, now.
with seen as (
    select
        c.communication_id,
        c.occurred_at,
        t.key as target,
        coalesce(t.value, instr(' ' || c.targets || ' ', ' ' || t.key || ' ') > 0) as is_on
    from communications as c cross join json_each(:overrides) as t
    where not exists (select 1 from communication_pushes as p where p.communication_id = c.communication_id)
)
insert into communication_pushes (communication_id, target, state, reason, updated_at, first_seen_at)
select
    communication_id,
    target,
    case when is_on and occurred_at >= :since then 'pending' else 'skipped' end,
    case when not is_on then 'switched_off' when occurred_at < :since then 'before_start' end,
    :now,
    :now
from seen
returning communication_id, target;
