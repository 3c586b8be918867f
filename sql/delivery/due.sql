-- SPEC D1, D2: opportunities due for Hatch plus the current one of each contact involved, the current one last, each
-- with the readings that its prospect and lead come from. Contacts queued last go first; those queued by `lp-pipeline deliver --since` go last.
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
phones as (
    select written, place, form as number from pipeline.contact_points where kind = 'phone' and form is not null
),
shared as (
    select p.number
    from opportunities as o inner join phones as p on p.written = o.phone
    group by p.number
    having count(distinct o.external_contact_id) > 5
),
numbers as (
    select
        p.written,
        list(p.number order by p.place) as phone_numbers,
        list(s.number) filter (s.number is not null) as shared_numbers
    from phones as p left join shared as s using (number)
    where p.written in (select phone from opportunities where external_contact_id in (select external_contact_id from contacts))
    group by p.written
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
    r.lead_place,
    coalesce(newest.normal, newest.record) as prospect_record,
    r.older_keys,
    coalesce(source.normal, source.record) as lead_record,
    coalesce(n.phone_numbers, []) as phone_numbers,
    coalesce(n.shared_numbers, []) as shared_numbers,
    e.form as email_address,
    d.external_contact_id is not null as is_due,
    coalesce(d.is_history, false) as is_history,
    r.opportunity_place = 1 as is_current,
    c.reordered_at
from ranked_opportunities as r
inner join contacts as c using (external_contact_id)
inner join raw.readings as newest on newest.reading_no = r.reading_no
left join raw.readings as source on source.reading_no = r.lead_no
left join due as d
    on
        d.external_contact_id = r.external_contact_id
        and d.external_id is not distinct from r.external_id
        and d.external_created_local = r.external_created_local
left join numbers as n on n.written = r.phone
left join pipeline.contact_points as e on e.kind = 'email' and e.written = r.email
where d.external_contact_id is not null or r.opportunity_place = 1
order by c.is_asked_for, c.queued_at desc, r.external_contact_id, r.opportunity_place desc;
