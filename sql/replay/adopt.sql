-- SPEC E4: make the replayed state live. What is the same stays as it is; of what differs people see that it changed, and
-- when. Variables: now_at, sync_id, delivering.
create or replace temp table adopted as
select
    coalesce(r.external_contact_id, o.external_contact_id) as external_contact_id,
    coalesce(r.external_id, o.external_id) as external_id,
    coalesce(r.external_created_local, o.external_created_local) as external_created_local,
    o.external_contact_id is not null as was_live,
    r.external_contact_id is not null as stays,
    (o.gone_since is null) <> (r.gone_since is null) as moved,
    o.first_synced_at as live_first_synced_at,
    r.object_no as replayed_object_no,
    case when r.object_no is not null then nextval('pipeline.object_numbers') end as new_object_no,
    pipeline.changed_columns(o, r) as columns
from opportunities as o
full join replayed.opportunities as r
    on
        r.external_contact_id = o.external_contact_id
        and r.external_id is not distinct from o.external_id
        and r.external_created_local = o.external_created_local
left join pipeline.opportunity_objects as b on b.object_no = o.object_no
left join replayed.pipeline.opportunity_objects as n on n.object_no = r.object_no
where
    row(
        o.external_contact_id, o.external_created_at, o.external_updated_at, o.email, o.first_name, o.last_name, o.phone,
        o.status, o.external_updated_at_source, o.combination, o.lead_changed_at, o.read_at, o.gone_since, o.reading_no,
        o.content_digest, b.prospect::varchar, b.lead::varchar
    ) is distinct from row(
        r.external_contact_id, r.external_created_at, r.external_updated_at, r.email, r.first_name, r.last_name, r.phone,
        r.status, r.external_updated_at_source, r.combination, r.lead_changed_at, r.read_at, r.gone_since, r.reading_no,
        r.content_digest, n.prospect::varchar, n.lead::varchar
    );

-- M7: what is new, and each column that is another now; of what is no opportunity any more each column becomes null.
insert into opportunity_changes
with pairs as (select *, unnest(columns) as pair from adopted where was_live)
select
    external_contact_id, external_id, external_created_local,
    getvariable('now_at'), getvariable('sync_id'), null, null, null
from adopted
where not was_live
union all
select
    external_contact_id, external_id, external_created_local,
    getvariable('now_at'), getvariable('sync_id'), pair.name, pair.old, pair.new
from pairs;

insert into pipeline.opportunity_objects by name
select n.* replace (a.new_object_no as object_no)
from adopted as a inner join replayed.pipeline.opportunity_objects as n on n.object_no = a.replayed_object_no;

delete from opportunities
using adopted as a
where
    opportunities.external_contact_id = a.external_contact_id
    and opportunities.external_id is not distinct from a.external_id
    and opportunities.external_created_local = a.external_created_local;

insert into opportunities by name
select
    r.* replace (
        coalesce(a.live_first_synced_at, getvariable('now_at')) as first_synced_at,
        getvariable('now_at') as changed_at,
        a.new_object_no as object_no
    )
from adopted as a inner join replayed.opportunities as r on r.object_no = a.replayed_object_no;

-- D1: Hatch is told of what was delivered before; what is new is history to it. Where a contact's order may have changed,
-- its current opportunity goes again.
insert into pipeline.due_deliveries
select
    external_contact_id, external_id, external_created_local, 'history', getvariable('sync_id'), getvariable('now_at')
from adopted
where getvariable('delivering') and stays
union all
select distinct external_contact_id, null, null::timestamp, 'gone', getvariable('sync_id'), getvariable('now_at')
from adopted
where getvariable('delivering') and was_live and (moved or not stays);

-- What the next merge goes by. What is staged was staged on the old state: it is staged again.
delete from rejected_records;
insert into rejected_records by name select * from replayed.rejected_records;
delete from held_opportunities;
insert into held_opportunities by name select * from replayed.held_opportunities;
delete from pipeline.suspects;
insert into pipeline.suspects by name select * from replayed.pipeline.suspects;
delete from pipeline.merged;
insert into pipeline.merged by name select * from replayed.pipeline.merged;
delete from calls;
insert into calls by name select * from replayed.calls;
delete from pipeline.batch;

select count(*) from adopted;
