-- SPEC W7, W8: queue readings for the merge: the new ones; and in its original place one that was only counted, if that
-- is still unmerged, its record is rejected, or a lead of it was overlooked.
-- Variables: feed, is_history; sent_from, sent_to (LeadPerfection's local time).
insert into pipeline.unmerged
with placed as (
    select
        *,
        -- its own number, or that of the identical reading before it
        coalesce(max(case when is_new then reading_no end) over chain, stored_no) as queued_no
    from judged
    window chain as (partition by contact_key order by reading_no rows unbounded preceding)
)
select
    nextval('pipeline.queue_numbers'),
    getvariable('feed'),
    p.contact_key,
    p.queued_no,
    p.read_at,
    getvariable('sent_from'),
    getvariable('sent_to'),
    getvariable('is_history') and not p.is_news
from placed as p
where
    p.is_new
    or p.is_unopened
    or exists (
        select 1 from pipeline.unmerged as u where u.feed = getvariable('feed') and u.contact_key = p.contact_key
    )
    or exists (select 1 from rejected_records as r where r.contact_key = p.contact_key)
order by p.reading_no;
