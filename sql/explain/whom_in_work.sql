-- SPEC E1: the same in work.duckdb, for what is not published yet. Parameter: id.
select distinct contact_key, null as external_id from raw.readings where contact_key = $id
union all
select distinct contact_key, external_id from pipeline.lead_listings where external_id = $id
order by all nulls first;
