-- SPEC M7: a row for every insert, and one for each column of J3 that an update changed.
-- Variables: now_at, sync_id.
insert into opportunity_changes
with pairs as (
    select
        s.external_contact_id,
        s.external_id,
        s.external_created_local,
        unnest([
            {'name': 'email', 'old': o.email, 'new': s.email},
            {
                'name': 'external_created_at',
                'old': o.external_created_at::varchar,
                'new': s.external_created_at::varchar
            },
            {
                'name': 'external_updated_at',
                'old': o.external_updated_at::varchar,
                'new': s.external_updated_at::varchar
            },
            {'name': 'first_name', 'old': o.first_name, 'new': s.first_name},
            {'name': 'last_name', 'old': o.last_name, 'new': s.last_name},
            {'name': 'phone', 'old': o.phone, 'new': s.phone},
            {'name': 'status', 'old': o.status, 'new': s.status}
        ]) as pair
    from outcomes as s
    inner join opportunities as o
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
from pairs
where pair.old is distinct from pair.new;
