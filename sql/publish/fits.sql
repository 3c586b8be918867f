-- SPEC Q1: whether this copy of the published file shows just what was published last, and only few contacts changed
-- since, so that it can be brought up to date. A contact of null stands for all.
-- Variables: schema_version, zone, revision.
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
        and c.contacts * 4 <= (select count(*) from prospects),
        false
    )
from changed as c;
