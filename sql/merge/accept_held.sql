-- SPEC M9: turn held opportunities into what the merge would have made of them. `chosen` holds contact ids; if it is
-- empty, all are accepted. The statements of the merge do the rest. Variables: now_at, sync_id.
create or replace temp table outcomes as
select
    * exclude (state, held_at),
    'inserted' as outcome,
    null::timestamptz as first_synced_at,
    null::timestamptz as gone_since
from held_opportunities
where
    state = 'held'
    and ((select count(*) from chosen) = 0 or external_contact_id in (select external_contact_id from chosen));

delete from held_opportunities
using outcomes as o
where
    held_opportunities.external_contact_id = o.external_contact_id
    and held_opportunities.external_id is not distinct from o.external_id
    and held_opportunities.external_created_local = o.external_created_local;

-- E4: log it for a replay. What is staged was based on the state before this change, so it will be staged again.
insert into pipeline.merge_log
select nextval('pipeline.log_numbers'), 'accept', getvariable('sync_id'), getvariable('now_at'), null,
    (select coalesce(list(external_contact_id), []) from chosen);

delete from pipeline.batch;

-- M6: merge/gone.sql decides whether they are gone by now. It looks at the prospects in the batch.
create or replace temp table known_merged as
select feed, contact_key, reading_no, read_at
from pipeline.merged
where contact_key in (select contact_key from outcomes);

insert into pipeline.batch by name
select feed, contact_key, reading_no, read_at, true as stale, false as is_history from known_merged;
