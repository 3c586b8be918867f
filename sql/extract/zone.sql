-- In which time zone the instants of this warehouse were computed (SPEC J5).
select coalesce(max(zone), 'UTC') as zone from pipeline.account
