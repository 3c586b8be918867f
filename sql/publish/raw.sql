-- SPEC Q1: the latest reading of each record in each feed, as received. `latest_readings` is also for records.sql.
create temp table latest_readings as
select feed, any_value(external_contact_id) as external_contact_id, max(reading_no) as reading_no
from work.raw.prospects
group by feed, contact_key;

insert into raw.prospects
select p.sync_id, p.feed, p.read_at, p.page, p.place, p.external_contact_id, p.record
from work.raw.prospects as p inner join latest_readings as l on l.reading_no = p.reading_no;

insert into raw.leads
select
    p.sync_id, p.feed, p.read_at, p.page, p.place, p.external_contact_id, p.external_id, p.record, p.lead_place
from work.raw.leads as p inner join latest_readings as l on l.reading_no = p.reading_no;
