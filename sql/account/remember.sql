-- Whose data this is from now on (SPEC J5), if it is not known yet. Parameters: address, client_id, zone.
insert into pipeline.account
select $address, $client_id, $zone where not exists (select 1 from pipeline.account)
