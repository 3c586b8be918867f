-- SPEC E4: where the live opportunities and the replayed ones differ in J3's columns.
create or replace temp table difference as
with pairs as (
    select
        coalesce(o.external_contact_id, r.external_contact_id) as external_contact_id,
        coalesce(o.external_id, r.external_id) as external_id,
        coalesce(o.external_created_local, r.external_created_local) as external_created_local,
        unnest(
            case
                when o.external_contact_id is null
                    then [{'name': 'opportunity', 'live': 'not there', 'replayed': 'there'}]
                when r.external_contact_id is null
                    then [{'name': 'opportunity', 'live': 'there', 'replayed': 'not there'}]
                else [
                    {'name': 'email', 'live': o.email, 'replayed': r.email},
                    {
                        'name': 'external_created_at',
                        'live': o.external_created_at::varchar,
                        'replayed': r.external_created_at::varchar
                    },
                    {
                        'name': 'external_updated_at',
                        'live': o.external_updated_at::varchar,
                        'replayed': r.external_updated_at::varchar
                    },
                    {'name': 'first_name', 'live': o.first_name, 'replayed': r.first_name},
                    {'name': 'last_name', 'live': o.last_name, 'replayed': r.last_name},
                    {'name': 'phone', 'live': o.phone, 'replayed': r.phone},
                    {'name': 'status', 'live': o.status, 'replayed': r.status}
                ]
            end
        ) as pair
    from live.opportunities as o
    full join opportunities as r
        on
            r.external_contact_id = o.external_contact_id
            and r.external_id is not distinct from o.external_id
            and r.external_created_local = o.external_created_local
)
select
    external_contact_id,
    external_id,
    external_created_local,
    pair.name as column_name,
    pair.live as live_value,
    pair.replayed as replayed_value
from pairs
where pair.live is distinct from pair.replayed;

select column_name, count(*) from difference group by column_name order by column_name;
