-- SPEC M9: never insert these held opportunities. They stay known, so that later readings are dropped too.
-- Variables: now_at, sync_id.

-- E4: log it for a replay. What is staged was based on the state before this change, so it will be staged again.
insert into pipeline.merge_log
select nextval('pipeline.log_numbers'), 'drop', getvariable('sync_id'), getvariable('now_at'), null,
    (select coalesce(list(external_contact_id), []) from chosen);

delete from pipeline.batch;

update held_opportunities
set state = 'dropped'
where
    state = 'held'
    and ((select count(*) from chosen) = 0 or external_contact_id in (select external_contact_id from chosen))
returning external_contact_id;
