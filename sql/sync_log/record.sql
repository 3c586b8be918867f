-- SPEC W7, E4: take the next sync number and keep the settings for a replay. Parameters: run, now, settings.
insert into pipeline.syncs
select coalesce(max(sync_id), 0) + 1, $run, $now, $settings from pipeline.syncs
returning sync_id
