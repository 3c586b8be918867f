-- The opportunities of the prospects in the batch, each with its place in the table: it is searched once, by a single
-- column, however large it is, and everything else looks here.
create or replace temp table known_opportunities as
select rowid as place, *
from opportunities
where rowid in (
    select rowid from opportunities where external_contact_id in (select contact_key from pipeline.batch)
);
