-- The leads of which the prospects in the batch have opportunities; `with_lead` if one of them is of both. `last` is the
-- latest reading that one was written from, and the lead's stamp in it.
create or replace temp table opportunity_leads as
select
    external_contact_id,
    external_id,
    bool_or(combination = 'lead+prospect') as with_lead,
    max({'lead_no': coalesce(lead_no, 0), 'changed_at': lead_changed_at}) as last
from opportunities
where external_contact_id in (select contact_key from pipeline.batch) and external_id is not null
group by all;
