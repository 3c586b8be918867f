-- SPEC M6: an opportunity is gone if its prospect no longer lists its lead, has another dateadded, or, for an
-- opportunity without a lead, now lists one. Nothing is deleted, and what comes back is no longer gone.
-- Variables: now_at, zone.
create or replace temp table presence as
with shown as (
    select
        contact_key,
        case
            when pipeline.lp_stamp(prospect ->> '$.dateadded', getvariable('zone'), created_read_at) is not null
                then date_trunc('second', pipeline.lp_wall(prospect ->> '$.dateadded', getvariable('zone')))
        end as created_local
    from pipeline.current_prospects
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
        when o.external_id is null then coalesce(l.leads, 0) > 0 and b.lead is null
        else not coalesce(list_contains(l.lead_ids, o.external_id), false)
    end as is_gone
from opportunities as o
left join shown as s on s.contact_key = o.external_contact_id
left join moved as m on m.external_contact_id = o.external_contact_id and m.external_id = o.external_id
left join listed as l on l.contact_key = s.contact_key
left join pipeline.opportunity_objects as b on b.object_no = o.object_no
where
    (s.contact_key is not null or m.external_id is not null)
    and is_gone <> (o.gone_since is not null);

update opportunities
set gone_since = case when p.is_gone then getvariable('now_at') end
from presence as p
where
    opportunities.external_contact_id = p.external_contact_id
    and opportunities.external_id is not distinct from p.external_id
    and opportunities.external_created_local = p.external_created_local;
