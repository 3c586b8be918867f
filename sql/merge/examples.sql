-- A few of each outcome, for the run's metadata: ids, statuses and names of columns, which say nothing of a person.
-- Variables: sync_id.
with changed as (
    select external_contact_id, external_id, external_created_local, string_agg(column_name, ', ' order by column_name) as columns
    from opportunity_changes
    where sync_id = getvariable('sync_id') and column_name is not null
    group by all
)
select
    s.outcome,
    coalesce(s.external_contact_id, '') as contact,
    coalesce(s.external_id, '') as lead,
    coalesce(s.status, '') as status,
    coalesce(c.columns, '') as changed_columns
from outcomes as s
left join changed as c
    on
        c.external_contact_id = s.external_contact_id
        and c.external_id is not distinct from s.external_id
        and c.external_created_local = s.external_created_local
where s.outcome <> 'unchanged'
qualify row_number() over (partition by s.outcome order by s.external_contact_id, s.external_id) <= 5
order by s.outcome, s.external_contact_id, s.external_id;
