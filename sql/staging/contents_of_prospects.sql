-- SPEC F3: the same for the prospect feed, where it matters: a prospect with a triggered lead is not triggered itself.
select reading_no, previous_no
from pipeline.batch
where
    feed = 'prospects'
    and not stale
    and previous_no is not null
    and contact_key not in (select contact_key from pipeline.triggered_leads)
order by all;
