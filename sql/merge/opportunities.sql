-- SPEC M2, M3: write what is inserted or updated; leave what is unchanged or stale alone.
-- Variable: now_at.
create or replace temp table written as
select * from outcomes where outcome in ('inserted', 'updated');

delete from opportunities
where rowid in (
    select o.place
    from known_opportunities as o
    inner join written as w
        on
            w.external_contact_id = o.external_contact_id
            and w.external_id is not distinct from o.external_id
            and w.external_created_local = o.external_created_local
);

insert into opportunities by name
select
    external_contact_id,
    external_id,
    external_created_at,
    external_updated_at,
    email,
    first_name,
    last_name,
    phone,
    status,
    external_updated_at_source,
    combination,
    external_created_local,
    lead_changed_at,
    coalesce(first_synced_at, getvariable('now_at')) as first_synced_at,
    getvariable('now_at') as changed_at,
    read_at,
    gone_since,
    reading_no,
    older_keys,
    lead_no,
    lead_place
from written;
