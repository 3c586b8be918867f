-- SPEC F2: leads that are new, changed or due for another check in the lead feed. Leads nested in the prospect feed
-- trigger nothing. A backfill or sweep may show a prospect in a window that covers the timestamps of only some of its
-- leads; the others are triggered by a later window that covers theirs. Once history has shown a prospect, a lead of
-- it with a timestamp inside a window, but without an opportunity, was overlooked, also if the reading that is to be
-- merged is older than the last merged one: then it is that one's leads. Variable: zone. `contents` holds what is
-- compared of the readings that have one before them, `stamped_anew` the leads that need no comparison.
create or replace table pipeline.triggered_leads as
with batch as (
    select * replace (case when stale then previous_no else reading_no end as reading_no)
    from pipeline.batch
    where feed = 'leads'
),
leads_now as (
    select
        b.contact_key, l.lead_key, l.external_id, l.stamps, b.reading_no, b.previous_no, b.stale,
        case when b.contact_key[1] <> '?' then b.contact_key end as external_contact_id
    from batch as b inner join pipeline.current_leads as l using (contact_key)
),
-- leads with a timestamp of their own inside a window, as it was sent
stamps as (
    select
        contact_key,
        lead_key,
        external_contact_id,
        external_id,
        previous_no,
        pipeline.lp_wall(unnest(stamps), getvariable('zone')) as stamp
    from leads_now
),
stamped as (
    select
        s.contact_key,
        s.lead_key,
        s.external_contact_id,
        s.external_id,
        s.previous_no,
        bool_or(u.is_history) as is_history
    from stamps as s
    inner join pipeline.unmerged as u on u.feed = 'leads' and u.contact_key = s.contact_key
    where s.stamp between u.sent_from and u.sent_to
    group by all
),
overlooked as (
    select s.contact_key, s.lead_key
    from stamped as s
    where
        (s.is_history or s.contact_key in (
            select contact_key from pipeline.last_readings where feed = 'leads' and was_in_the_past
        ))
        and not exists (
            select 1 from opportunity_leads as o
            where o.external_contact_id = s.external_contact_id and o.external_id = s.external_id
        )
),
known_prospects as (
    select
        n.contact_key,
        n.lead_key,
        case
            when a.lead_key is not null then 'changed'
            when not n.stale and o.lead_key is null then 'new'
            when not n.stale and c.content is distinct from o.content then 'changed'
            when r.lead_key is not null and not n.stale then 'rejected before'
            when s.lead_key is not null then 'stamped inside the window, without an opportunity'
        end as reason
    from leads_now as n
    left join stamped_anew as a on a.contact_key = n.contact_key and a.lead_key = n.lead_key
    left join contents as c on c.reading_no = n.reading_no and c.lead_key = n.lead_key
    left join contents as o on o.reading_no = n.previous_no and o.lead_key = n.lead_key
    left join rejected_records as r
        on r.combination = 'lead+prospect' and r.contact_key = n.contact_key and r.lead_key = n.lead_key
    left join overlooked as s on s.contact_key = n.contact_key and s.lead_key = n.lead_key
    where n.previous_no is not null
),
new_prospects as (
    select
        n.contact_key,
        n.lead_key,
        case
            when s.lead_key is not null then 'stamped inside the window'
            when n.contact_key not in (select contact_key from stamped) then 'first reading of the prospect'
        end as reason
    from leads_now as n
    left join stamped as s on s.contact_key = n.contact_key and s.lead_key = n.lead_key
    where n.previous_no is null
)
select contact_key, lead_key, reason from known_prospects where reason is not null
union all
select contact_key, lead_key, reason from new_prospects where reason is not null;
