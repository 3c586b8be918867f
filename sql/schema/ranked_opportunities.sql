-- SPEC M8: a contact's opportunities in order; the first is the current one. Also ranks what is published.
create or replace view ranked_opportunities as
select
    *,
    row_number() over (
        partition by external_contact_id
        order by
            gone_since is null desc,
            external_updated_at desc,
            lead_changed_at desc nulls last,
            combination = 'lead+prospect' desc,
            external_created_at desc,
            try_cast(external_id as hugeint) desc nulls last,
            external_id desc nulls last
    ) as opportunity_place
from opportunities;
