-- Everything that is known of one contact, newest first (put the cst_id in).
select d.*
from opportunity_details as d
where d.external_contact_id = '300001'
order by d.gone_since nulls first, d.external_updated_at desc;
