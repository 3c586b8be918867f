-- A few of each outcome, for the run's metadata: ids, statuses and names of columns, which say nothing of a person.
-- Variables: sync_id.
with shown as (
    select outcome, external_contact_id, external_id, external_created_local, status
    from outcomes
    where rowid in (
        select unnest(min({'contact': external_contact_id, 'lead': external_id, 'place': rowid}, 5)).place
        from outcomes
        where outcome <> 'unchanged'
        group by outcome
    )
)
select
    s.outcome,
    coalesce(s.external_contact_id, '') as contact,
    coalesce(s.external_id, '') as lead,
    coalesce(s.status, '') as status,
    coalesce(string_agg(c.column_name, ', ' order by c.column_name), '') as changed_columns
from shown as s
left join opportunity_changes as c
    on
        c.sync_id = getvariable('sync_id')
        and c.external_contact_id = s.external_contact_id
        and c.external_id is not distinct from s.external_id
        and c.external_created_local = s.external_created_local
group by s.outcome, s.external_contact_id, s.external_id, s.external_created_local, s.status
order by s.outcome, s.external_contact_id, s.external_id;
