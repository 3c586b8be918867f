-- SPEC E4: make the replayed state live. Rows that are the same are left alone; for rows that differ, the change and
-- its time are recorded. Variables: now_at, sync_id, delivering.
create or replace temp table adopted as
select
    coalesce(r.external_contact_id, o.external_contact_id) as external_contact_id,
    coalesce(r.external_id, o.external_id) as external_id,
    coalesce(r.external_created_local, o.external_created_local) as external_created_local,
    o.external_contact_id is not null as was_live,
    r.external_contact_id is not null as stays,
    (o.gone_since is null) <> (r.gone_since is null) as moved,
    o.first_synced_at as live_first_synced_at,
    pipeline.changed_columns(o, r) as columns
from opportunities as o
full join replayed.opportunities as r
    on
        r.external_contact_id = o.external_contact_id
        and r.external_id is not distinct from o.external_id
        and r.external_created_local = o.external_created_local
where
    row(
        o.external_contact_id, o.external_created_at, o.external_updated_at, o.email, o.first_name, o.last_name, o.phone,
        o.status, o.external_updated_at_source, o.combination, o.lead_changed_at, o.read_at, o.gone_since, o.reading_no,
        o.older_keys::varchar, o.lead_no, o.lead_place
    ) is distinct from row(
        r.external_contact_id, r.external_created_at, r.external_updated_at, r.email, r.first_name, r.last_name, r.phone,
        r.status, r.external_updated_at_source, r.combination, r.lead_changed_at, r.read_at, r.gone_since, r.reading_no,
        r.older_keys::varchar, r.lead_no, r.lead_place
    );

-- M7: a row per new opportunity and per changed column. If an opportunity no longer exists, each column becomes null.
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
        getvariable('now_at') as changed_at
    )
from adopted as a
inner join replayed.opportunities as r
    on
        a.stays
        and r.external_contact_id = a.external_contact_id
        and r.external_id is not distinct from a.external_id
        and r.external_created_local = a.external_created_local;

-- D1: deliver changes of opportunities that were delivered before; new ones count as history. If a contact's ranking may
-- have changed, deliver its current opportunity again.
insert into pipeline.due_deliveries
select
    external_contact_id, external_id, external_created_local, 'history', getvariable('sync_id'), getvariable('now_at')
from adopted
where getvariable('delivering') and stays
union all
select distinct external_contact_id, null, null::timestamp, 'gone', getvariable('sync_id'), getvariable('now_at')
from adopted
where getvariable('delivering') and was_live and (moved or not stays);

-- The state that the next merge builds on. What is staged was based on the old state, so it will be staged again.
delete from rejected_records;
insert into rejected_records by name select * from replayed.rejected_records;
delete from held_opportunities;
insert into held_opportunities by name select * from replayed.held_opportunities;
delete from pipeline.suspects;
insert into pipeline.suspects by name select * from replayed.pipeline.suspects;
delete from pipeline.merged;
insert into pipeline.merged by name select * from replayed.pipeline.merged;
delete from pipeline.older_keys;
insert into pipeline.older_keys by name select * from replayed.pipeline.older_keys;
delete from pipeline.lead_listings;
insert into pipeline.lead_listings by name select * from replayed.pipeline.lead_listings;
delete from calls;
insert into calls by name select * from replayed.calls;
delete from pipeline.batch;

insert into pipeline.unpublished_contacts values (null);

select count(*) from adopted;
