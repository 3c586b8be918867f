-- SPEC S1: changes found by a backfill or sweep although none of LeadPerfection's change timestamps moved, by field.
-- A change that both feeds show is recorded once. Variables: now_at, sync_id.
insert into unannounced_changes
with read_again as (
    select * from pipeline.batch where is_history and not stale and previous_no is not null
),
objects as (
    select
        b.contact_key,
        n.lead_key,
        n.content::json::map(varchar, json) as now_fields,
        o.content::json::map(varchar, json) as old_fields,
        case when n.lead_key is null then n.content::json ->> '$.lastchanged' end as now_changed,
        case when o.lead_key is null then o.content::json ->> '$.lastchanged' end as old_changed,
        case when n.lead_key is not null then pipeline.content_stamps(n.content) end as now_stamps,
        case when o.lead_key is not null then pipeline.content_stamps(o.content) end as old_stamps
    from read_again as b
    inner join contents as n on n.reading_no = b.reading_no
    inner join contents as o on o.reading_no = b.previous_no and o.lead_key is not distinct from n.lead_key
    where n.content <> o.content
),
differing as (
    select
        case when contact_key[1] <> '?' then contact_key end as external_contact_id,
        case when lead_key[1] <> '?' then lead_key end as external_id,
        case when lead_key is null then 'prospect.' else 'lead.' end as prefix,
        unnest(
            list_filter(
                list_distinct(map_keys(now_fields) || map_keys(old_fields)),
                lambda key: now_fields[key]::varchar is distinct from old_fields[key]::varchar
            )
        ) as field
    from objects
    where now_changed is not distinct from old_changed and now_stamps is not distinct from old_stamps
)
select distinct getvariable('sync_id'), getvariable('now_at'), f.external_contact_id, f.external_id, f.prefix || f.field
from differing as f
where
    not exists (
        select 1 from unannounced_changes as c
        where
            c.external_contact_id = f.external_contact_id
            and c.external_id is not distinct from f.external_id
            and c.field = f.prefix || f.field
            and c.found_at > getvariable('now_at') - interval 20 hours
    );
