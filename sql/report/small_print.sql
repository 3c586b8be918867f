-- SPEC E8: when the last sweep ended, how many records are rejected, and how many opportunities LeadPerfection no longer shows.
select
    p.sync_id,
    p.rejected_records,
    p.gone_opportunities,
    (select max(ended_at) from sync_runs where kind = 'sweep' and outcome = 'read') as swept_at
from published as p;
