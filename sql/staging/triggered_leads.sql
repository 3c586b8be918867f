-- SPEC F2: leads that are new, changed or due for another check in the lead feed. Leads nested in the prospect feed
-- trigger nothing. A backfill or sweep may show a prospect in a window that covers the timestamps of only some of its
-- leads; the others are triggered by a later window that covers theirs. Once history has shown a prospect, a lead of
-- it with a timestamp inside a window, but without an opportunity, was overlooked, also if the reading that is to be
-- merged is older than the last merged one: then it is that one's leads. Variable: zone.
create or replace table pipeline.triggered_leads as
with batch as (
    select * replace (case when stale then previous_no else reading_no end as reading_no)
    from pipeline.batch
    where feed = 'leads'
),
leads_now as (
    select
        b.contact_key, l.lead_key, l.content, l.fields, b.previous_no, b.stale,
        p.external_contact_id, l.external_id
    from batch as b
    inner join raw.leads as l on l.reading_no = b.reading_no
    inner join raw.prospects as p on p.reading_no = b.reading_no
    qualify row_number() over (partition by b.contact_key, l.lead_key order by l.lead_place) = 1
),
leads_before as (
    select b.contact_key, l.lead_key, l.content
    from batch as b inner join raw.leads as l on l.reading_no = b.previous_no
    qualify row_number() over (partition by b.contact_key, l.lead_key order by l.lead_place) = 1
),
-- leads with a timestamp of their own inside a window, as it was sent
stamps as (
    select
        contact_key,
        lead_key,
        external_contact_id,
        external_id,
        previous_no,
        pipeline.lp_wall(unnest(pipeline.lead_stamps(fields)), getvariable('zone')) as stamp
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
            select p.contact_key
            from raw.prospects as p
            where
                p.feed = 'leads'
                and p.contact_key in (select contact_key from stamped)
                and p.sync_id in (select r.sync_id from sync_runs as r where r.kind <> 'sync')
        ))
        and not exists (
            select 1 from opportunities as o
            where o.external_contact_id = s.external_contact_id and o.external_id = s.external_id
        )
),
known_prospects as (
    select
        n.contact_key,
        n.lead_key,
        case
            when o.lead_key is null then 'new'
            when n.content::varchar is distinct from o.content::varchar then 'changed'
            when r.lead_key is not null and not n.stale then 'rejected before'
            when s.lead_key is not null then 'stamped inside the window, without an opportunity'
        end as reason
    from leads_now as n
    left join leads_before as o on o.contact_key = n.contact_key and o.lead_key = n.lead_key
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
