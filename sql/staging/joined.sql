-- SPEC J1, J2, M5: which lead and which prospect form an opportunity.
create or replace table pipeline.joined as
with triggered as (
    select distinct contact_key from pipeline.triggered_leads
    union
    select contact_key from pipeline.triggered_prospects
),
-- J1: leads that are triggered or already have an opportunity. M5: an untriggered lead keeps its combination.
pairs as (
    select
        l.contact_key,
        l.lead_key,
        case when t.lead_key is not null or o.with_lead then 'lead+prospect' else 'prospect' end as combination
    from pipeline.current_leads as l
    inner join triggered using (contact_key)
    left join pipeline.triggered_leads as t on t.contact_key = l.contact_key and t.lead_key = l.lead_key
    left join opportunity_leads as o
        on o.external_contact_id = l.contact_key and o.external_id = l.external_id
    where t.lead_key is not null or o.external_id is not null
),
-- J2: otherwise the prospect alone, with its first lead as received, if it has one.
alone as (
    select t.contact_key, arg_min(l.lead_key, l.lead_place) as lead_key, 'prospect' as combination
    from triggered as t left join pipeline.current_leads as l using (contact_key)
    where t.contact_key not in (select contact_key from pairs)
    group by t.contact_key
),
candidates as (
    select * from pairs
    union all
    select * from alone
)
select contact_key, lead_key, combination from candidates;
