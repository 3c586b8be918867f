-- SPEC J5: recompute every instant from LP's wall clock after its zone was corrected. The key, on the wall clock, stays,
-- and so does the path that external_updated_at came from. Variables: zone, now_at, sync_id.
create or replace temp table rezoned as
select
    o.object_no,
    o.external_contact_id,
    o.external_id,
    o.external_created_local,
    o.external_created_at as old_created_at,
    o.external_updated_at as old_updated_at,
    pipeline.lp_instant(b.prospect ->> '$.dateadded', getvariable('zone')) as external_created_at,
    pipeline.lp_instant(
        case o.external_updated_at_source
            when 'prospect.lastchanged' then b.prospect ->> '$.lastchanged'
            when 'lead.lastchangedon' then b.lead ->> '$.lastchangedon'
            when 'lead.dateentered' then b.lead ->> '$.dateentered'
            when 'lead.jobs[0].contractdate' then b.lead ->> '$.jobs[0].contractdate'
            else b.lead ->> '$.appointments[0].lastchangedon'
        end,
        getvariable('zone')
    ) as external_updated_at,
    case
        when o.lead_changed_at is not null then coalesce(
            pipeline.lp_instant(b.lead ->> '$.lastchangedon', getvariable('zone')),
            pipeline.lp_instant(b.lead ->> '$.dateentered', getvariable('zone'))
        )
    end as lead_changed_at
from opportunities as o inner join pipeline.opportunity_objects as b using (object_no);

insert into opportunity_changes
with pairs as (
    select
        external_contact_id,
        external_id,
        external_created_local,
        unnest([
            {'name': 'external_created_at', 'old': old_created_at, 'new': external_created_at},
            {'name': 'external_updated_at', 'old': old_updated_at, 'new': external_updated_at}
        ]) as pair
    from rezoned
)
select
    external_contact_id, external_id, external_created_local,
    getvariable('now_at'), getvariable('sync_id'), pair.name, pair.old::varchar, pair.new::varchar
from pairs
where pair.old is distinct from pair.new;

update opportunities
set
    external_created_at = r.external_created_at,
    external_updated_at = r.external_updated_at,
    lead_changed_at = r.lead_changed_at,
    changed_at = getvariable('now_at')
from rezoned as r
where
    opportunities.object_no = r.object_no
    and (r.old_created_at <> r.external_created_at or r.old_updated_at <> r.external_updated_at);

update pipeline.account set zone = getvariable('zone');

-- E4: to be done again in a replay. What is staged was staged on what this changes: it is staged again.
insert into pipeline.merge_log
select nextval('pipeline.log_numbers'), 'rezone', getvariable('sync_id'), getvariable('now_at'), null, null;

delete from pipeline.batch;

select count(*)
from rezoned
where old_created_at <> external_created_at or old_updated_at <> external_updated_at;
