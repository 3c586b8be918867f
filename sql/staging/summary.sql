-- What staging selected for the merge, in one row.
select
    (select count(*) from pipeline.batch) as readings,
    (select count(distinct contact_key) from pipeline.batch) as prospects,
    (select count(*) from pipeline.triggered_leads) as triggered_leads,
    (select count(*) from pipeline.triggered_prospects) as triggered_prospects,
    (select count(*) from staged_opportunities) as staged;
