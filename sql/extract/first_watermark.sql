-- SPEC W1: where a feed's first sync begins. It is kept in case that sync fails. Parameters: feed, first.
insert into pipeline.watermarks
select $feed, $first, null where not exists (select 1 from pipeline.watermarks where feed = $feed)
