-- Who answers customers' messages in Hatch, and how fast? From each customer's message that waits for a reply to the next
-- outbound one in the same conversation; what nobody answered is in a row of its own.
-- Parameter days: how many days, instead of 30
with ordered as (
    select
        c.contact_id, c.occurred_at, c.direction,
        coalesce(c.actor_name, c.actor_type, '(unknown)') as actor,
        lag(c.direction) over conversation as previous_direction
    from communications as c cross join published as p
    where
        c.contact_id is not null
        and c.direction in ('inbound', 'outbound')
        and c.occurred_at > p.published_at - to_days(coalesce(getvariable('days')::integer, 30))
    window conversation as (partition by c.contact_id order by c.occurred_at, c.communication_id)
),
turns as (  -- only the first message of each turn: several in a row wait for one reply
    select
        direction, occurred_at,
        lead(actor) over conversation as replied_by,
        lead(occurred_at) over conversation as replied_at
    from ordered
    where direction is distinct from previous_direction
    window conversation as (partition by contact_id order by occurred_at)
)
select
    coalesce(replied_by, '(nobody yet)') as replied_by,
    count(*) as messages,
    round(median(epoch(replied_at) - epoch(occurred_at)) / 60, 1) as median_minutes,
    round(100.0 * count(*) filter (epoch(replied_at) - epoch(occurred_at) <= 900) / count(*), 1) as within_15_minutes_percent
from turns
where direction = 'inbound'
group by all
order by messages desc, replied_by;
