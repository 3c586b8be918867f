-- Take the next sync number (SPEC W7), with the settings that a replay needs (E4). Parameters: run, now, settings.
insert into pipeline.syncs
select coalesce(max(sync_id), 0) + 1, $run, $now, $settings from pipeline.syncs
returning sync_id
