-- SPEC W8, F2: the readings to merge. If a prospect has several unmerged readings in one feed, the last one counts;
-- `previous_no` is its last merged reading. A reading older than that is stale (M4).
create or replace temp table known_merged as
select feed, contact_key, reading_no, read_at
from pipeline.merged
where contact_key in (select contact_key from pipeline.unmerged);

create or replace table pipeline.batch as
with last_queue as (select max(queue_no) as last_queue_no from pipeline.unmerged),
last_unmerged as (
    select
        u.feed,
        u.contact_key,
        max(u.reading_no) as reading_no,
        arg_max(u.read_at, {'reading_no': u.reading_no, 'queue_no': u.queue_no}) as read_at,
        bool_and(u.is_history) as is_history
    from pipeline.unmerged as u
    group by all
)
select
    u.feed,
    u.contact_key,
    u.reading_no,
    u.read_at,
    m.reading_no as previous_no,
    coalesce(m.reading_no > u.reading_no, false) as stale,
    q.last_queue_no,
    u.is_history,
    getvariable('availability')::varchar as availability  -- the setting used for this staging (E4)
from last_unmerged as u
cross join last_queue as q
left join known_merged as m on m.feed = u.feed and m.contact_key = u.contact_key;
