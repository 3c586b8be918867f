-- SPEC S1: the readings in which a backfill or sweep may have found a change that LeadPerfection did not announce;
-- `other_no` is the other feed's last reading, if it is newer than the previous one of this feed.
create or replace temp table read_again as
select b.contact_key, b.reading_no, b.previous_no, m.reading_no as other_no
from pipeline.batch as b
left join pipeline.merged as m
    on m.contact_key = b.contact_key and m.feed <> b.feed and m.reading_no > b.previous_no
where b.is_history and not b.stale and b.previous_no is not null;

create or replace temp table contents (reading_no bigint, lead_key varchar, content varchar, names varchar[]);

select reading_no from read_again
union
select previous_no from read_again
union
select other_no from read_again where other_no is not null;
