-- SPEC Q1: whether what is only ever added to is here as often as in work.duckdb. If not, rows were taken out or came in
-- between, and the copy has to be built anew.
select
    (select count(*) from opportunity_changes) = (select count(*) from work.main.opportunity_changes)
    and (select count(*) from calls) = (select count(*) from work.main.calls)
    and (select count(*) from speed_to_lead) = (select count(*) from work.pipeline.speed_to_lead)
    and (select count(*) from unannounced_changes) = (select count(*) from work.main.unannounced_changes)
    and (select count(*) from sync_runs) = (select count(*) from work.main.sync_runs)
    and (select count(*) from internal.contact_points) = (select count(*) from work.pipeline.contact_points);
