-- SPEC F3: a prospect is triggered if none of its leads is and, in either feed, it is new, its own content differs,
-- or it is rejected as `prospect`.
create or replace table pipeline.triggered_prospects as
with reasons as (
    select
        b.contact_key,
        case
            when b.previous_no is null then 'new in the ' || b.feed || ' feed'
            when p.content is distinct from o.content then 'changed in the ' || b.feed || ' feed'
            when r.contact_key is not null then 'rejected before'
        end as reason
    from pipeline.batch as b
    left join contents as p on p.reading_no = b.reading_no and p.lead_key is null
    left join contents as o on o.reading_no = b.previous_no and o.lead_key is null
    left join rejected_records as r on r.combination = 'prospect' and r.contact_key = b.contact_key
    where not b.stale and b.contact_key not in (select contact_key from pipeline.triggered_leads)
)
select contact_key, min(reason) as reason
from reasons
where reason is not null
group by contact_key;
