-- Where a feed's very first sync begins (SPEC W1): kept, should that sync fail. Parameters: feed, first.
insert into pipeline.watermarks
select $feed, $first, null where not exists (select 1 from pipeline.watermarks where feed = $feed)
