-- SPEC M9: on a person's word, what is held is never to be inserted; it stays known, so that a later reading is dropped too.
-- Variables: now_at, sync_id.
-- E4: to be done again in a replay. What is staged was staged on what this changes: it is staged again.
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
