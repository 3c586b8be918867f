-- SPEC J7, S1: prospects with rejected records. The order changes daily, so that each gets its turn within the
-- sweep's budget. Parameter: day.
select distinct external_contact_id from rejected_records
where external_contact_id is not null
order by hash(external_contact_id || $day)
