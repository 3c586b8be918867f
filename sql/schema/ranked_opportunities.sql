-- SPEC M8: a contact's opportunities in order; the first is the current one. `source` is the name of a table of them.
create or replace macro pipeline.ranked(source) as table
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
from query_table(source);

create or replace view ranked_opportunities as select * from pipeline.ranked('opportunities');
