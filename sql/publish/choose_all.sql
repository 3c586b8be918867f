-- SPEC Q1: the contacts whose rows are published: all of them. Nothing is there yet.
create temp table chosen as select distinct contact_key from work.pipeline.last_readings;
create temp table state as
select
    0::bigint as points, 0::bigint as changes, 0::bigint as calls, 0::bigint as timed, 0::bigint as unannounced,
    0::bigint as windows, true as outbox_changed;
