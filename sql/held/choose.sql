-- The contacts whose held opportunities a person accepts or drops; none for all. Parameter: ids.
create or replace temp table chosen as select unnest($ids::varchar[]) as external_contact_id
