-- SPEC K1, E4: make a snapshot the base that a replay begins at, and remove what is older and nothing refers to: readings,
-- the log of merges, the window ledger, the list of syncs. Of the ledger 60 days stay in any case, for the check on silent
-- feeds. Variables: base_at, now_at.
delete from base.opportunities where taken_at < getvariable('base_at');
delete from base.rejected_records where taken_at < getvariable('base_at');
delete from base.held_opportunities where taken_at < getvariable('base_at');
delete from base.calls where taken_at < getvariable('base_at');
delete from base.suspects where taken_at < getvariable('base_at');
delete from base.merged where taken_at < getvariable('base_at');
delete from base.last_readings where taken_at < getvariable('base_at');
delete from base.older_keys where taken_at < getvariable('base_at');
delete from base.lead_listings where taken_at < getvariable('base_at');
delete from base.readings where taken_at < getvariable('base_at');
delete from base.snapshots where taken_at < getvariable('base_at');
update base.snapshots set is_base = true where taken_at = getvariable('base_at');

delete from pipeline.merge_log where entry_no <= (select entry_no from base.snapshots where is_base);
delete from pipeline.merge_log_readings where entry_no <= (select entry_no from base.snapshots where is_base);
delete from pipeline.merges
where
    sync_id <= (select sync_id from base.snapshots where is_base)
    and sync_id < (select max(sync_id) from pipeline.merges);

delete from raw.readings
where
    reading_no not in (
        select reading_no from base.readings
        union
        select reading_no from pipeline.merge_log_readings
        union
        select reading_no from pipeline.unmerged
    );

-- a feed's windows go from the oldest one on, so that what is left leaves no gap (W6)
delete from sync_runs
where
    ended_at < least(getvariable('base_at'), getvariable('now_at') - interval 60 days)
    and rowid not in (select max(rowid) from sync_runs group by feed, kind, watermark_moved)
    and (kind = 'sync' or sync_id not in (select sync_id from raw.readings));

delete from pipeline.syncs
where
    sync_id < (select min(sync_id) from sync_runs where kind = 'sync')
    and sync_id not in (select sync_id from pipeline.merge_log)
    and sync_id not in (select sync_id from sync_runs);

-- E5: whose numbers and addresses these were could not be told any more
delete from pipeline.contact_points
where (kind, written) not in (
    with shown as (
        select
            from_json(
                coalesce(normal, record), '{"email": "VARCHAR", "phone1": "VARCHAR", "altphones": [{"phone": "VARCHAR"}]}'
            ) as prospect
        from raw.readings
        union all
        select from_json(older_keys, '{"email": "VARCHAR", "phone1": "VARCHAR", "altphones": [{"phone": "VARCHAR"}]}')
        from pipeline.older_keys
    ),
    texts as (
        select 'phone' as kind, prospect.phone1 as written from shown
        union
        select 'phone', unnest(prospect.altphones).phone from shown
        union
        select 'email', prospect.email from shown
    )
    select row(kind, pipeline.lp_text(written)) from texts where pipeline.lp_text(written) is not null
);

-- the published copy takes over only what was added since, so it is built anew
insert into pipeline.unpublished_contacts values (null);
