-- SPEC J5: the account whose data this warehouse holds; no row before the first sync.
select address, client_id, zone from pipeline.account
