-- SPEC E1, F2, F3: what the readings just staged triggered, and in which fields they differ from those before them.
-- `contents` has a row for each object of the readings that have one before them.
with differing as (
    select
        b.feed,
        n.lead_key,
        n.content::json::map(varchar, json) as now_map,
        o.content::json::map(varchar, json) as old_map
    from pipeline.batch as b
    inner join contents as n on n.reading_no = b.reading_no
    inner join contents as o on o.reading_no = b.previous_no and o.lead_key is not distinct from n.lead_key
    where n.content <> o.content
),
fields as (
    select
        feed,
        lead_key,
        list_sort(
            list_filter(
                list_distinct(map_keys(now_map) || map_keys(old_map)),
                lambda key: now_map[key]::varchar is distinct from old_map[key]::varchar
            )
        ) as fields
    from differing
),
triggered as (
    select lead_key, reason, 'leads' as feed from pipeline.triggered_leads
    union all
    select null, reason, case when reason like '%prospects feed' then 'prospects' else 'leads' end
    from pipeline.triggered_prospects
)
select t.lead_key, t.reason, coalesce(f.fields, []) as fields
from triggered as t left join fields as f on f.feed = t.feed and f.lead_key is not distinct from t.lead_key
order by t.lead_key nulls first;
