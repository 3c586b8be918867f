-- SPEC K1, E4: the snapshot at which a replay begins, and the last sync in it; no row if that is at the beginning. `live` is
-- a copy of data that has snapshots.
select taken_at, sync_id from live.base.snapshots where is_base
