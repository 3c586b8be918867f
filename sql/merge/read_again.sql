-- SPEC S1: the readings in which a backfill or sweep may have found a change that LeadPerfection did not announce.
create or replace temp table contents (reading_no bigint, lead_key varchar, content varchar);

create or replace temp table compared as
with read_again as (
    select reading_no, previous_no from pipeline.batch where is_history and not stale and previous_no is not null
)
select reading_no from read_again
union
select previous_no from read_again;
