-- SPEC J7: how many records this merge rejected that were not rejected before.
select count(*)
from rejections as n inner join rejected_records as r using (contact_key, combination, lead_key)
where r.attempts = 1;
