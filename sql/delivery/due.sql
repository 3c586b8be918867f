-- SPEC D1, D2: the opportunities that are due for Hatch and the current one of each contact concerned, the current one
-- last, each with both objects. Contacts that came up last go first, and those whom a person asked for go last.
with due as (
    select external_contact_id, external_id, external_created_local, bool_and(reason = 'history') as is_history
    from pipeline.due_deliveries
    where reason <> 'gone'
    group by external_contact_id, external_id, external_created_local
),
contacts as (
    select
        external_contact_id,
        max(queued_at) filter (reason = 'gone') as reordered_at,
        bool_and(reason = 'asked') as is_asked_for,
        max(queued_at) as queued_at
    from pipeline.due_deliveries
    group by external_contact_id
),
shared as (
    select pipeline.ten_digits(phone) as phone
    from opportunities
    where pipeline.ten_digits(phone) is not null
    group by all
    having count(distinct external_contact_id) > 5
)
select
    r.external_contact_id,
    r.external_id,
    r.external_created_local,
    r.external_created_at,
    r.external_updated_at,
    r.external_updated_at_source,
    r.email,
    r.first_name,
    r.last_name,
    r.phone,
    r.status,
    b.prospect,
    b.lead,
    s.phone is not null as phone_is_shared,
    d.external_contact_id is not null as is_due,
    coalesce(d.is_history, false) as is_history,
    r.opportunity_place = 1 as is_current,
    c.reordered_at
from ranked_opportunities as r
inner join contacts as c using (external_contact_id)
inner join pipeline.opportunity_objects as b using (object_no)
left join due as d
    on
        d.external_contact_id = r.external_contact_id
        and d.external_id is not distinct from r.external_id
        and d.external_created_local = r.external_created_local
left join shared as s on s.phone = pipeline.ten_digits(r.phone)
where d.external_contact_id is not null or r.opportunity_place = 1
order by c.is_asked_for, c.queued_at desc, r.external_contact_id, r.opportunity_place desc;
