-- SPEC K1: when a state was last kept for replays to begin at.
select max(taken_at) from base.snapshots
