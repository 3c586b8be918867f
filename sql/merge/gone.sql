-- SPEC M6: an opportunity is gone if its prospect no longer lists its lead, has another dateadded, or, for an
-- opportunity without a lead, now lists one. Nothing is deleted, and what comes back is no longer gone.
-- Variable: now_at.
create or replace temp table presence as
with written as (
    select external_contact_id, external_id, external_created_local, lead_no, gone_since
    from outcomes
    where outcome in ('inserted', 'updated')
),
-- the opportunities of the batch's prospects, as they are by now, and of those whose lead moved away
concerned as (
    select external_contact_id, external_id, external_created_local, lead_no, gone_since from written
    union all
    select o.external_contact_id, o.external_id, o.external_created_local, o.lead_no, o.gone_since
    from known_opportunities as o
    anti join written as w
        on
            w.external_contact_id = o.external_contact_id
            and w.external_id is not distinct from o.external_id
            and w.external_created_local = o.external_created_local
    union all
    select external_contact_id, external_id, external_created_local, lead_no, gone_since
    from opportunities
    where external_contact_id in (
        select external_contact_id from moved
        where external_contact_id not in (select contact_key from pipeline.batch)
    )
),
listed as (
    select contact_key, list(external_id) filter (external_id is not null) as lead_ids, count(*) as leads
    from pipeline.current_leads
    group by contact_key
)
select
    o.external_contact_id,
    o.external_id,
    o.external_created_local,
    m.external_id is not null
    or coalesce(o.external_created_local <> s.created_local, false)
    or case
        when o.external_id is null then coalesce(l.leads, 0) > 0 and o.lead_no is null
        else not coalesce(list_contains(l.lead_ids, o.external_id), false)
    end as is_gone
from concerned as o
left join pipeline.current_prospects as s on s.contact_key = o.external_contact_id
left join moved as m on m.external_contact_id = o.external_contact_id and m.external_id = o.external_id
left join listed as l on l.contact_key = s.contact_key
where
    (s.contact_key is not null or m.external_id is not null)
    and is_gone <> (o.gone_since is not null);
