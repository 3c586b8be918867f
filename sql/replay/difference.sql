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
                    then [{'name': 'opportunity', 'old': 'not there', 'new': 'there'}]
                when r.external_contact_id is null
                    then [{'name': 'opportunity', 'old': 'there', 'new': 'not there'}]
                else pipeline.changed_columns(o, r)
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
    pair.old as live_value,
    pair.new as replayed_value
from pairs;

select column_name, count(*) from difference group by column_name order by column_name;
