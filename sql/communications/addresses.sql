-- SPEC C5: the prospect, lead and job of each communication, from published.duckdb. `asked` holds a row for each
-- communication: given_contact_ids (its own external_contact_id, else those of its Hatch contact id), given_lead_id,
-- phone (ten digits), email (its form, J8). A row for each: its contact, lead, first job,
-- phone and its calls (wall time and phone), or why no one contact was found, and which ones it may be.
with numbers as (
    select written, place, form as number from internal.contact_points where kind = 'phone' and form is not null
),
known as (
    select p.external_contact_id, n.number as phone, e.form as email, p.phone as written_phone
    from prospects as p
    left join numbers as n on n.written = p.phone and n.place = 1
    left join internal.contact_points as e on e.kind = 'email' and e.written = p.email
),
other_phones as (
    select r.external_contact_id, r.other ->> '$.phone' as written_phone
    from (
        select
            external_contact_id,
            unnest(from_json(content -> '$.altphones', '["json"]')) as other
        from prospects
        where json_type(content, '$.altphones') = 'ARRAY'
    ) as r
),
by_phone as (
    select a.communication_id, list(distinct k.external_contact_id) as contact_ids
    from asked as a
    inner join numbers as n on n.number = a.phone
    inner join known as k on k.written_phone = n.written
    group by a.communication_id
),
by_other_phone as (
    select a.communication_id, list(distinct o.external_contact_id) as contact_ids
    from asked as a
    inner join numbers as n on n.number = a.phone
    inner join other_phones as o on o.written_phone = n.written
    group by a.communication_id
),
by_email as (
    select a.communication_id, list(distinct k.external_contact_id) as contact_ids
    from asked as a inner join known as k on k.email = a.email
    group by a.communication_id
),
candidates as (
    select
        a.communication_id,
        a.given_lead_id,
        len(a.given_contact_ids) > 0 as is_given,
        case
            when len(a.given_contact_ids) > 0 then a.given_contact_ids
            -- an e-mail distinguishes those who share a phone, unless it belongs to none of them
            when p.contact_ids is null and o.contact_ids is null then coalesce(e.contact_ids, [])
            when len(list_intersect(e.contact_ids, coalesce(p.contact_ids, o.contact_ids))) = 1
                then list_intersect(e.contact_ids, coalesce(p.contact_ids, o.contact_ids))
            else coalesce(p.contact_ids, o.contact_ids)
        end as contact_ids
    from asked as a
    left join by_phone as p using (communication_id)
    left join by_other_phone as o using (communication_id)
    left join by_email as e using (communication_id)
),
called as (
    select external_contact_id, list([strftime(called_at, '%Y-%m-%d %H:%M:%S'), phone]) as calls
    from calls
    where called_at is not null
    group by external_contact_id
),
single as (
    select communication_id, given_lead_id, contact_ids[1] as external_contact_id
    from candidates
    where len(contact_ids) = 1
),
addressed as (
    select
        s.communication_id,
        s.external_contact_id,
        k.phone,
        -- the given lead, even another contact's: then there is no job, rather than one of a different lead
        coalesce(s.given_lead_id, c.external_id) as external_id
    from single as s
    inner join known as k on k.external_contact_id = s.external_contact_id
    left join current_opportunities as c on c.external_contact_id = s.external_contact_id
)
select
    c.communication_id,
    case
        when a.external_contact_id is not null then null
        when len(c.contact_ids) > 1 then 'several'
        when c.is_given then 'not_read'
        else 'none'
    end as unmatched,
    a.external_contact_id,
    a.external_id,
    any_value(json_extract_string(l.content, '$.jobs[0].id')) as job_id,
    a.phone,
    coalesce(any_value(k.calls), []) as calls,
    case when len(c.contact_ids) > 1 then list_sort(c.contact_ids) else [] end as candidates
from candidates as c
left join addressed as a using (communication_id)
left join leads as l on l.external_contact_id = a.external_contact_id and l.external_id = a.external_id
left join called as k on k.external_contact_id = a.external_contact_id
group by all;
