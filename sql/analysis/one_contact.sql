-- Everything known about one contact, newest first. Replace the cst_id with yours.
select d.*
from opportunity_details as d
where d.external_contact_id = '300001'
order by d.gone_since nulls first, d.external_updated_at desc;
