-- SPEC M9: contacts chosen in `lp-pipeline held accept|drop`; empty for all. Parameter: ids.
create or replace temp table chosen as select unnest($ids::varchar[]) as external_contact_id
