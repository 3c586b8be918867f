-- SPEC J5: recompute every timestamp from LeadPerfection's local time after LP_TIMEZONE was corrected. The key is in
-- local time and does not change, nor does the field that external_updated_at comes from. Variables: zone, now_at,
-- sync_id.
create or replace temp table sources as
select
    r.reading_no,
    from_json(
        coalesce(r.normal, r.record),
        '{
            "dateadded": "VARCHAR", "lastchanged": "VARCHAR",
            "leads": [{
                "dateentered": "VARCHAR", "lastchangedon": "VARCHAR",
                "appointments": [{"lastchangedon": "VARCHAR"}], "jobs": [{"contractdate": "VARCHAR"}]
            }]
        }'
    ) as prospect
from raw.readings as r
where r.reading_no in (
    select reading_no from opportunities
    union all select lead_no from opportunities
);

create or replace temp table rezoned as
with texts as (
    select
        o.*,
        coalesce(p.prospect.dateadded, o.older_keys ->> '$.dateadded') as dateadded,
        coalesce(p.prospect.lastchanged, o.older_keys ->> '$.lastchanged') as lastchanged,
        l.prospect.leads[o.lead_place] as lead
    from opportunities as o
    inner join sources as p on p.reading_no = o.reading_no
    left join sources as l on l.reading_no = o.lead_no
)
select
    external_contact_id,
    external_id,
    external_created_local,
    external_created_at as old_created_at,
    external_updated_at as old_updated_at,
    pipeline.lp_instant(dateadded, getvariable('zone')) as external_created_at,
    pipeline.lp_instant(
        case external_updated_at_source
            when 'prospect.lastchanged' then lastchanged
            when 'lead.lastchangedon' then lead.lastchangedon
            when 'lead.dateentered' then lead.dateentered
            when 'lead.jobs[0].contractdate' then lead.jobs[1].contractdate
            else lead.appointments[1].lastchangedon
        end,
        getvariable('zone')
    ) as external_updated_at,
    case
        when lead_changed_at is not null then coalesce(
            pipeline.lp_instant(lead.lastchangedon, getvariable('zone')),
            pipeline.lp_instant(lead.dateentered, getvariable('zone'))
        )
    end as lead_changed_at
from texts;

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
    opportunities.external_contact_id = r.external_contact_id
    and opportunities.external_id is not distinct from r.external_id
    and opportunities.external_created_local = r.external_created_local
    and (r.old_created_at <> r.external_created_at or r.old_updated_at <> r.external_updated_at);

insert into pipeline.unpublished_contacts values (null);

update pipeline.account set zone = getvariable('zone');

-- E4: log it for a replay. What is staged was based on the state before this change, so it will be staged again.
insert into pipeline.merge_log
select nextval('pipeline.log_numbers'), 'rezone', getvariable('sync_id'), getvariable('now_at'), null, null;

delete from pipeline.batch;

select count(*)
from rezoned
where old_created_at <> external_created_at or old_updated_at <> external_updated_at;
