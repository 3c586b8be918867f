-- Returns a row if none of a batch's prospects has a cst_id: LeadPerfection's format has changed, and merging would
-- reject everything. If some have one, the others alone are rejected (J7). No row means the batch is good.
with counted as (
    select
        count(distinct b.contact_key) filter (p.external_contact_id is null) as without_id,
        count(distinct b.contact_key) as prospects
    from pipeline.batch as b inner join raw.prospects as p on p.reading_no = b.reading_no
)
select without_id, prospects from counted where prospects >= 20 and without_id = prospects;
