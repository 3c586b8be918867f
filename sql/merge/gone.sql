-- SPEC M6: an opportunity is gone if its prospect no longer lists its lead, has another dateadded, or, for an
-- opportunity without a lead, now lists one. Nothing is deleted, and what comes back is no longer gone.
-- Variable: now_at.
create or replace temp table presence as
with concerned as (
    select external_contact_id, external_id, external_created_local, lead_no, gone_since
    from opportunities
    where rowid in (
        select rowid from opportunities
        where external_contact_id in (
            select contact_key from pipeline.current_prospects
            union all
            select external_contact_id from moved
        )
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
