-- SPEC S1: changes found by a backfill or sweep although none of LeadPerfection's change timestamps moved, by field.
-- A change that both feeds show is recorded once. Variables: now_at, sync_id.
insert into unannounced_changes
with read_again as (
    select * from pipeline.batch where is_history and not stale and previous_no is not null
),
objects as (
    select
        p.external_contact_id,
        null as external_id,
        'prospect.' as prefix,
        p.content as now_content,
        o.content as old_content,
        p.content ->> '$.lastchanged' as now_stamp,
        o.content ->> '$.lastchanged' as old_stamp
    from read_again as b
    inner join raw.prospects as p on p.reading_no = b.reading_no
    inner join raw.prospects as o on o.reading_no = b.previous_no
    union all
    select
        l.external_contact_id,
        l.external_id,
        'lead.',
        l.content,
        o.content,
        pipeline.lead_stamps(l.content)::varchar,
        pipeline.lead_stamps(o.content)::varchar
    from read_again as b
    inner join raw.leads as l on l.reading_no = b.reading_no
    inner join raw.leads as o on o.reading_no = b.previous_no and o.lead_key = l.lead_key
),
contents as (
    select *, now_content::map(varchar, json) as now_map, old_content::map(varchar, json) as old_map
    from objects
    where now_stamp is not distinct from old_stamp and now_content::varchar <> old_content::varchar
),
fields as (
    select
        external_contact_id,
        external_id,
        prefix,
        unnest(
            list_filter(
                list_distinct(map_keys(now_map) || map_keys(old_map)),
                lambda key: now_map[key]::varchar is distinct from old_map[key]::varchar
            )
        ) as field
    from contents
)
select distinct getvariable('sync_id'), getvariable('now_at'), f.external_contact_id, f.external_id, f.prefix || f.field
from fields as f
where
    not exists (
        select 1 from unannounced_changes as c
        where
            c.external_contact_id = f.external_contact_id
            and c.external_id is not distinct from f.external_id
            and c.field = f.prefix || f.field
            and c.found_at > getvariable('now_at') - interval 20 hours
    );
