-- SPEC S1: what a backfill or sweep shows otherwise than the last reading did, although none of LP's stamps of change has
-- moved: the edits that LP does not announce, by field; once, though both feeds show it. Variables: now_at, sync_id.
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
fields as (
    select *, unnest(list_distinct(json_keys(now_content) || json_keys(old_content))) as field
    from objects
    where now_stamp is not distinct from old_stamp and now_content::varchar <> old_content::varchar
)
select distinct getvariable('sync_id'), getvariable('now_at'), f.external_contact_id, f.external_id, f.prefix || f.field
from fields as f
where
    json_extract(f.now_content, '$."' || f.field || '"')::varchar
    is distinct from json_extract(f.old_content, '$."' || f.field || '"')::varchar
    and not exists (
        select 1 from unannounced_changes as c
        where
            c.external_contact_id = f.external_contact_id
            and c.external_id is not distinct from f.external_id
            and c.field = f.prefix || f.field
            and c.found_at > getvariable('now_at') - interval 20 hours
    );
