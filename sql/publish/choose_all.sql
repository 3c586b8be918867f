-- SPEC Q1: the contacts whose rows are published: all of them.
create temp table chosen as select distinct contact_key from work.pipeline.last_readings;
create temp table state as select 0::bigint as points, true as outbox_changed;

select count(*) from chosen;
