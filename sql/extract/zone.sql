-- SPEC J5: time zone in which this warehouse's timestamps were computed.
select coalesce(max(zone), 'UTC') as zone from pipeline.account
