-- Whose data this warehouse holds (SPEC J5); no row before anything was read.
select address, client_id, zone from pipeline.account
