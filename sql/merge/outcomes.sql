-- SPEC M1 to M5, M9: the outcome of each staged opportunity. The key is contact, lead (null equals null) and External
-- Created At in LeadPerfection's local time. Variables: now_at, held_after.
create or replace temp table outcomes as
with compared as (
    select
        s.*,
        -- M3: the columns are the same, the contents are not
        case when d.contact_key is not null then 'updated' else c.outcome end as outcome,
        c.first_synced_at,
        c.gone_since,
        case when s.combination = 'prospect' then '' else s.lead_key end as rejection_key
    from staged_opportunities as s
    inner join compared_opportunities as c
        on c.contact_key = s.contact_key and c.lead_key is not distinct from s.lead_key
    left join differing as d on d.contact_key = s.contact_key and d.lead_key is not distinct from s.lead_key
),
-- M9: additional opportunities whose contact and lead are known under another External Created At
suspects as (
    select c.external_contact_id, c.external_id, c.external_created_local, max(o.external_created_local) as known_local
    from compared as c
    inner join known_opportunities as o
        on o.external_contact_id = c.external_contact_id and o.external_id is not distinct from c.external_id
    where c.outcome = 'inserted'
    group by all
),
too_many as (
    -- those of the last 24 hours, passed or held, plus the new ones
    select
        (select count(*) from suspects anti join held_opportunities as h on
            h.external_contact_id = suspects.external_contact_id
            and h.external_id is not distinct from suspects.external_id
            and h.external_created_local = suspects.external_created_local)
        + (select count(*) from pipeline.suspects where passed_at > getvariable('now_at') - interval 24 hours)
        > getvariable('held_after') as are_held
)
select
    c.* replace (
        case
            when x.external_contact_id is not null and (t.are_held or h.external_contact_id is not null) then 'held'
            else c.outcome
        end as outcome
    ),
    x.known_local as known_created_local,
    h.state as held_state,
    h.held_at
from compared as c
cross join too_many as t
left join suspects as x
    on
        x.external_contact_id = c.external_contact_id
        and x.external_id is not distinct from c.external_id
        and x.external_created_local = c.external_created_local
        and c.outcome = 'inserted'
left join held_opportunities as h
    on
        h.external_contact_id = c.external_contact_id
        and h.external_id is not distinct from c.external_id
        and h.external_created_local = c.external_created_local;
