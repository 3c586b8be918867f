-- The leads of which the prospects in the batch have opportunities; `with_lead` if one of them is of both.
create or replace temp table opportunity_leads as
select external_contact_id, external_id, bool_or(combination = 'lead+prospect') as with_lead
from opportunities
where external_contact_id in (select contact_key from pipeline.batch) and external_id is not null
group by all;
