-- SPEC M9: on a person's word, what is held becomes what the merge would have made of it. `chosen` holds contact ids; none
-- chooses all. The statements of the merge do the rest. Variables: now_at, sync_id.
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

-- E4: to be done again in a replay. What is staged was staged on what this changes: it is staged again.
insert into pipeline.merge_log
select nextval('pipeline.log_numbers'), 'accept', getvariable('sync_id'), getvariable('now_at'), null,
    (select coalesce(list(external_contact_id), []) from chosen);

delete from pipeline.batch;

-- M6: whether they are gone by now is for the merge's statement, which looks at the prospects of a batch.
insert into pipeline.batch by name
select feed, contact_key, reading_no, read_at, true as stale, false as is_history
from pipeline.merged
where contact_key in (select contact_key from outcomes);

select count(*) from outcomes;
