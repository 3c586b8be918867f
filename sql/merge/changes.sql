-- SPEC M7: a row for every insert, and one for each column of J3 that an update changed.
-- Variables: now_at, sync_id.
insert into opportunity_changes
with pairs as (
    select
        s.external_contact_id,
        s.external_id,
        s.external_created_local,
        unnest(pipeline.changed_columns(o, s)) as pair
    from outcomes as s
    inner join known_opportunities as o
        on
            o.external_contact_id = s.external_contact_id
            and o.external_id is not distinct from s.external_id
            and o.external_created_local = s.external_created_local
    where s.outcome = 'updated'
)
select
    external_contact_id, external_id, external_created_local,
    getvariable('now_at'), getvariable('sync_id'), null, null, null
from outcomes
where outcome = 'inserted'
union all
select
    external_contact_id, external_id, external_created_local,
    getvariable('now_at'), getvariable('sync_id'), pair.name, pair.old, pair.new
from pairs;
