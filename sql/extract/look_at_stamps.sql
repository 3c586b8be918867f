-- SPEC D1, F2: what a window that differs from a sync's may have shown first: only there a record's timestamps are looked
-- at. JSON is streamed from the spool file.
-- Variables: feed, zone; sent_from, sent_to, news_from (LeadPerfection's local time).
create or replace temp table looked_at as
select
    s.reading_no,
    s.external_contact_id,
    from_json(
        coalesce(s.normal, s.record),
        '{
            "lastchanged": "VARCHAR", "dateadded": "VARCHAR",
            "leads": [{
                "id": "VARCHAR", "dateentered": "VARCHAR", "lastchangedon": "VARCHAR",
                "appointments": [{"lastchangedon": "VARCHAR"}],
                "jobs": [{"lastchanged": "VARCHAR", "lastchangedon": "VARCHAR"}]
            }]
        }'
    ) as prospect
from spooled() as s
where s.reading_no in (select reading_no from judged where was_in_the_past);

create or replace temp table stamped_leads as
with leads as (
    select reading_no, external_contact_id, unnest(prospect.leads) as lead from looked_at
),
stamps as (
    select
        reading_no,
        external_contact_id,
        lead.id as external_id,
        pipeline.lp_wall(unnest(pipeline.lead_stamps(lead)), getvariable('zone')) as stamp
    from leads
)
select reading_no, external_contact_id, external_id, stamp
from stamps
where stamp >= least(getvariable('sent_from'), coalesce(getvariable('news_from')::timestamp, getvariable('sent_from')));

-- D1: what the next sync would read anyway is not history, even if a backfill or sweep reads it first
update judged
set is_news = true
where reading_no in (
    select reading_no from stamped_leads where stamp >= getvariable('news_from')::timestamp
    union all
    select reading_no
    from looked_at
    where
        greatest(
            pipeline.lp_wall(prospect.lastchanged, getvariable('zone')),
            pipeline.lp_wall(prospect.dateadded, getvariable('zone'))
        ) >= getvariable('news_from')::timestamp
);

-- F2: leads with a timestamp in this window and no opportunity yet
update judged
set is_unopened = true
where was_in_the_past and reading_no in (
    select s.reading_no
    from stamped_leads as s
    where
        getvariable('feed') = 'leads'
        and s.stamp between getvariable('sent_from') and getvariable('sent_to')
        and s.external_id is not null
        and not exists (
            select 1 from opportunities as o
            where o.external_contact_id = s.external_contact_id and o.external_id = s.external_id
        )
);
