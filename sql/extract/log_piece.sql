-- A row of the window ledger (SPEC W6). `failure` is why the feed counts as unread, without LeadPerfection's own words;
-- null also for a piece that failed but is left to the next sync (W2). Parameters: all columns.
insert into sync_runs by name
select
    $sync_id as sync_id, $feed as feed, $window_from as window_from, $window_to as window_to,
    $started_at as started_at, $ended_at as ended_at, $pages as pages, $readings as readings, $outcome as outcome,
    $error as error, $stored as stored, $sent_from as sent_from, $sent_to as sent_to,
    $watermark_moved as watermark_moved, $kind as kind, $failure as failure, $failure_kind as failure_kind
