-- How many prospects of the batch have no cst_id, and how many there are.
select
    count(distinct b.contact_key) filter (p.external_contact_id is null) as without_id,
    count(distinct b.contact_key) as prospects
from pipeline.batch as b inner join raw.prospects as p on p.reading_no = b.reading_no;
