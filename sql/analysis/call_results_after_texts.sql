-- Do calls end better when a text went out before them? Results of LeadPerfection's calls, with and without an outbound text in
-- Hatch in the two days before.
-- Parameter hours: how long before the call, instead of 48
-- Parameter days: calls of how many days, instead of 30
with matched as (
    select communication_id, max(external_contact_id) as external_contact_id from communication_pushes group by communication_id
),
delivered as (
    select hatch_contact_id, max(external_contact_id) as external_contact_id
    from hatch_deliveries
    group by hatch_contact_id
    having count(distinct external_contact_id) = 1
),
texts as (
    select
        coalesce(m.external_contact_id, c.external_contact_id, d.external_contact_id) as external_contact_id,
        c.occurred_at
    from communications as c
    left join matched as m on m.communication_id = c.communication_id
    left join delivered as d on d.hatch_contact_id = c.contact_id
    where c.channel = 'text' and c.direction = 'outbound'
),
made as (
    select
        c.external_contact_id,
        coalesce(c.result, c.result_code, '(none)') as result,
        timezone(p.leadperfection_timezone, c.called_at) as called_at
    from calls as c cross join published as p
    where c.called_at > timezone(p.leadperfection_timezone, p.published_at) - to_days(coalesce(getvariable('days')::integer, 30))
),
judged as (
    select
        m.result,
        exists (
            select 1 from texts as t
            where
                t.external_contact_id = m.external_contact_id
                and t.occurred_at between m.called_at - to_hours(coalesce(getvariable('hours')::integer, 48)) and m.called_at
        ) as after_a_text
    from made as m
)
select
    result,
    count(*) filter (after_a_text) as after_a_text,
    count(*) filter (not after_a_text) as without_a_text,
    round(100.0 * count(*) filter (after_a_text) / nullif(sum(count(*) filter (after_a_text)) over (), 0), 1)
        as after_a_text_percent,
    round(100.0 * count(*) filter (not after_a_text) / nullif(sum(count(*) filter (not after_a_text)) over (), 0), 1)
        as without_a_text_percent
from judged
group by result
order by count(*) desc, result;
