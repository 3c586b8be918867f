-- The pushes that a run may process, oldest communication first; those that failed before come last (SPEC C8).
-- Parameters: now, due_only, targets (JSON).
select
    p.communication_id, p.target, p.state, p.attempts, p.first_seen_at, p.first_tried_at,
    p.sending_since, p.sending_really_since,
    p.external_contact_id as pushed_contact_id, p.external_id as pushed_lead_id, p.job_id as pushed_job_id,
    p.phone as pushed_phone, p.call_date, p.text, p.words,
    p.state <> 'sending' and exists (
        select 1 from pushes_to_look_for as l where l.communication_id = p.communication_id and l.target = p.target
    ) as looks_first,
    c.occurred_at, c.channel, c.type, c.direction, c.actor_type, c.actor_name, c.body, c.delivery_status,
    c.duration_seconds, c.links, c.contact_id, coalesce(c.assigned_contact_id, c.external_contact_id) as external_contact_id,
    c.external_id, c.phone, c.email
from communication_pushes as p inner join communications as c on c.communication_id = p.communication_id
where
    p.state in ('pending', 'unmatched', 'sending')
    and (p.state = 'sending' or p.target in (select value from json_each(:targets)))
    and (
        not :due_only
        or (
            coalesce(p.next_try_at, '') <= :now
            and (
                p.state = 'sending'
                or not exists (select 1 from facts where name = 'paused_until:' || p.target and value > :now)
            )
        )
    )
order by p.attempts > 0, c.occurred_at, p.communication_id, p.target;
