-- SPEC S1: changes found by a backfill or sweep although none of LeadPerfection's change timestamps moved, by field.
-- A change that both feeds show is recorded once: what the other feed has shown meanwhile is no news, however long ago
-- that was. `contents` has a row for each object of the readings in `read_again`. Variables: now_at, sync_id.
insert into unannounced_changes
with objects as (
    select
        b.contact_key,
        n.lead_key,
        n.content::json::map(varchar, json) as now_map,
        o.content::json::map(varchar, json) as old_map,
        coalesce(x.content::json::map(varchar, json), map {}) as other_map,
        coalesce(x.names, []) as other_keys,
        case when n.lead_key is null then n.content::json ->> '$.lastchanged' end as now_changed,
        case when o.lead_key is null then o.content::json ->> '$.lastchanged' end as old_changed,
        case when n.lead_key is not null then pipeline.content_stamps(n.content) end as now_stamps,
        case when o.lead_key is not null then pipeline.content_stamps(o.content) end as old_stamps
    from read_again as b
    inner join contents as n on n.reading_no = b.reading_no
    inner join contents as o on o.reading_no = b.previous_no and o.lead_key is not distinct from n.lead_key
    left join contents as x on x.reading_no = b.other_no and x.lead_key is not distinct from n.lead_key
    where n.content <> o.content
),
differing as (
    select
        case when contact_key[1] <> '?' then contact_key end as external_contact_id,
        case when lead_key[1] <> '?' then lead_key end as external_id,
        case when lead_key is null then 'prospect.' else 'lead.' end as prefix,
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
    from objects
    where now_changed is not distinct from old_changed and now_stamps is not distinct from old_stamps
)
select distinct getvariable('sync_id'), getvariable('now_at'), f.external_contact_id, f.external_id, f.prefix || f.field
from differing as f;
