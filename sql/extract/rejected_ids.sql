-- The prospects with rejected records (SPEC J7, S1), in another order each day, so that each one's turn comes within
-- the sweep's budget. Parameter: day.
select distinct external_contact_id from rejected_records
where external_contact_id is not null
order by hash(external_contact_id || $day)
