-- SPEC J7: keep rejected records with the names of their missing columns, until the record passes or LeadPerfection
-- no longer lists its lead. Variable: now_at.
create or replace temp table rejections as
select s.contact_key, s.rejection_key as lead_key, s.combination, s.external_contact_id, s.external_id, s.missing
from outcomes as s
left join pipeline.current_leads as l on l.contact_key = s.contact_key and l.lead_key = s.lead_key
where s.outcome = 'rejected'
-- one row per prospect with combination `prospect`; if several of its leads are joined that way, the first one counts
qualify row_number() over (partition by s.contact_key, s.combination, s.rejection_key order by l.lead_place) = 1;

update rejected_records
set missing = n.missing, last_rejected_at = getvariable('now_at'), attempts = rejected_records.attempts + 1,
    external_id = n.external_id
from rejections as n
where
    rejected_records.contact_key = n.contact_key
    and rejected_records.combination = n.combination
    and rejected_records.lead_key = n.lead_key;

insert into rejected_records by name
select
    n.external_contact_id,
    n.external_id,
    n.missing,
    getvariable('now_at') as first_rejected_at,
    getvariable('now_at') as last_rejected_at,
    1 as attempts,
    n.combination,
    n.contact_key,
    n.lead_key
from rejections as n
where not exists (
    select 1 from rejected_records as r
    where r.contact_key = n.contact_key and r.combination = n.combination and r.lead_key = n.lead_key
);

-- remove records that pass now: a lead, or a prospect that is no longer rejected on its own
delete from rejected_records
using outcomes as s
where
    rejected_records.contact_key = s.contact_key
    and (
        (rejected_records.combination = 'lead+prospect' and s.combination = 'lead+prospect'
            and rejected_records.lead_key = s.lead_key and s.outcome <> 'rejected')
        or (rejected_records.combination = 'prospect' and not exists (
            select 1 from rejections as n
            where n.contact_key = rejected_records.contact_key and n.combination = 'prospect'
        ))
    );

-- remove leads that LeadPerfection no longer lists
delete from rejected_records
where
    combination = 'lead+prospect'
    and contact_key in (select contact_key from pipeline.current_prospects)
    and not exists (
        select 1 from pipeline.current_leads as l
        where l.contact_key = rejected_records.contact_key and l.lead_key = rejected_records.lead_key
    );

delete from rejected_records
using moved as m
where
    rejected_records.combination = 'lead+prospect'
    and rejected_records.external_contact_id = m.external_contact_id
    and rejected_records.external_id = m.external_id;
