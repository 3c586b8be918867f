-- The ten contacts that changed last, each with its current opportunity.
select
    external_contact_id as contact,
    external_id as lead,
    first_name,
    last_name,
    phone,
    status,
    combination,
    date_trunc('second', external_updated_at) as updated
from current_opportunities
order by external_updated_at desc, external_contact_id
limit 10;
