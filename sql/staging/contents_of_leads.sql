-- SPEC F1, F2: the readings of the lead feed whose contents are compared: those in the batch that have one before them,
-- with that one.
create or replace temp table contents (reading_no bigint, lead_key varchar, content varchar, names varchar[]);

select reading_no, previous_no
from pipeline.batch
where feed = 'leads' and not stale and previous_no is not null
order by all;
