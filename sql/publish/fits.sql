-- SPEC Q1: whether this copy of the published file shows just what was published last, and only few contacts changed
-- since, so that it can be brought up to date. A contact of null stands for all.
-- Rows that were taken out of tables to which they are only added (by `forget`) leave a gap: then rows can't be counted
-- to see which are new. Variables: schema_version, zone, revision.
with changed as (
    select count(distinct contact_key) as contacts, count(*) filter (contact_key is null) as everything
    from work.pipeline.unpublished_contacts
)
select
    coalesce(
        (select published_at from published) = (select published_at from work.pipeline.publication)
        and (select schema_version from published) = getvariable('schema_version')
        and (select leadperfection_timezone from published) = getvariable('zone')
        and c.everything = 0
        and c.contacts * 4 <= (select count(*) from prospects)
        and not exists (
            select 1
            from (
                select count(*) as rows, max(rowid) + 1 as places from work.main.opportunity_changes
                union all
                select count(*), max(rowid) + 1 from work.main.calls
                union all
                select count(*), max(rowid) + 1 from work.pipeline.speed_to_lead
                union all
                select count(*), max(rowid) + 1 from work.main.unannounced_changes
                union all
                select count(*), max(rowid) + 1 from work.main.sync_runs
                union all
                select count(*), max(rowid) + 1 from work.pipeline.contact_points
            )
            where rows <> coalesce(places, 0)
        ),
        false
    )
from changed as c;
