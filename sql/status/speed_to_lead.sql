-- SPEC E6: minutes from LeadPerfection's stamp to the publication: of what the last sync added, and of all so far.
select
    count(*) filter (s.sync_id = p.sync_id) as sync_opportunities,
    round(quantile_cont(s.seconds, 0.5) filter (s.sync_id = p.sync_id) / 60, 1) as sync_p50,
    round(quantile_cont(s.seconds, 0.95) filter (s.sync_id = p.sync_id) / 60, 1) as sync_p95,
    count(*) as opportunities,
    round(quantile_cont(s.seconds, 0.5) / 60, 1) as p50,
    round(quantile_cont(s.seconds, 0.95) / 60, 1) as p95
from speed_to_lead as s cross join published as p;
