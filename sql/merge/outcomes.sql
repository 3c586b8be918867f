-- SPEC M1 to M5, M9: what each staged opportunity means for the table. The key is contact, lead (null equals null) and
-- External Created At on LP's wall clock. Variables: now_at, held_after.
create or replace temp table outcomes as
with compared as (
    select
        s.*,
        case
            when len(s.missing) > 0 then 'rejected'
            when o.external_contact_id is null then 'inserted'
            when s.reading_no < o.reading_no then 'stale'
            when
                s.content_digest = o.content_digest
                and s.combination = o.combination
                and s.external_created_at = o.external_created_at
                and s.external_updated_at = o.external_updated_at
                and s.email is not distinct from o.email
                and s.first_name is not distinct from o.first_name
                and s.last_name is not distinct from o.last_name
                and s.phone is not distinct from o.phone
                and s.status is not distinct from o.status
                then 'unchanged'
            else 'updated'
        end as outcome,
        o.first_synced_at,
        o.gone_since,
        case when s.combination = 'prospect' then '' else s.lead_key end as rejection_key
    from staged_opportunities as s
    left join opportunities as o
        on
            o.external_contact_id = s.external_contact_id
            and o.external_id is not distinct from s.external_id
            and o.external_created_local = s.external_created_local
),
-- M9: an additional opportunity whose contact and lead are known under another External Created At
suspects as (
    select c.external_contact_id, c.external_id, c.external_created_local, max(o.external_created_local) as known_local
    from compared as c
    inner join opportunities as o
        on o.external_contact_id = c.external_contact_id and o.external_id is not distinct from c.external_id
    where c.outcome = 'inserted'
    group by all
),
too_many as (
    -- those of the last 24 hours, whether they passed or were held, and the new ones
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
