-- SPEC S1: changes found by a backfill or sweep although none of LeadPerfection's change timestamps moved, by field.
-- A change that both feeds show is recorded once: what the other feed has shown meanwhile is no news, however long ago
-- that was. Variables: now_at, sync_id.
insert into unannounced_changes
with read_again as (
    select b.*, m.reading_no as other_no  -- the other feed's last reading, if it is newer than the previous one of this
    from pipeline.batch as b
    left join pipeline.merged as m
        on m.contact_key = b.contact_key and m.feed <> b.feed and m.reading_no > b.previous_no
    where b.is_history and not b.stale and b.previous_no is not null
),
objects as (
    select
        p.external_contact_id,
        null as external_id,
        'prospect.' as prefix,
        p.content as now_content,
        o.content as old_content,
        x.content as other_content,
        x.fields as other_fields,
        p.content ->> '$.lastchanged' as now_stamp,
        o.content ->> '$.lastchanged' as old_stamp
    from read_again as b
    inner join raw.prospects as p on p.reading_no = b.reading_no
    inner join raw.prospects as o on o.reading_no = b.previous_no
    left join raw.prospects as x on x.reading_no = b.other_no
    union all
    select
        l.external_contact_id,
        l.external_id,
        'lead.',
        l.content,
        o.content,
        x.content,
        x.fields,
        pipeline.lead_stamps(l.content)::varchar,
        pipeline.lead_stamps(o.content)::varchar
    from read_again as b
    inner join raw.leads as l on l.reading_no = b.reading_no
    inner join raw.leads as o on o.reading_no = b.previous_no and o.lead_key = l.lead_key
    left join raw.leads as x on x.reading_no = b.other_no and x.lead_key = l.lead_key
),
contents as (
    select
        *,
        now_content::map(varchar, json) as now_map,
        old_content::map(varchar, json) as old_map,
        coalesce(other_content::map(varchar, json), map {}) as other_map,
        coalesce(map_keys(other_fields::map(varchar, json)), []) as other_keys
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
                and not (
                    list_contains(other_keys, key)
                    and now_map[key]::varchar is not distinct from other_map[key]::varchar
                )
            )
        ) as field
    from contents
)
select distinct getvariable('sync_id'), getvariable('now_at'), f.external_contact_id, f.external_id, f.prefix || f.field
from fields as f;
