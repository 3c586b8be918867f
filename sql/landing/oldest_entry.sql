-- SPEC S1: the oldest day of entry that any reading has shown, of a prospect or of a lead: all history begins there. A
-- lead may well be older than its prospect (prospects are merged and re-dated). Variable: zone.
select min(pipeline.lp_instant(entered, getvariable('zone')))
from (
    select fields ->> '$.dateadded' as entered from raw.prospects
    union all
    select fields ->> '$.dateentered' from raw.leads
);
