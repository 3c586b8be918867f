-- SPEC J7: what is unavailable waits here with the names of the missing columns, until its record passes or LP no
-- longer lists its lead. Variable: now_at.
create or replace temp table rejections as
select s.contact_key, s.rejection_key as lead_key, s.combination, s.external_contact_id, s.external_id, s.missing
from outcomes as s
left join pipeline.current_leads as l on l.contact_key = s.contact_key and l.lead_key = s.lead_key
where s.outcome = 'rejected'
-- a prospect stands here once as `prospect`: of several leads that are still joined so, the first as received tells why
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

-- a record that was judged and passes: its lead, or the prospect by itself once it is judged as anything else
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

-- a lead that LP no longer lists
delete from rejected_records
where
    combination = 'lead+prospect'
    and contact_key in (select contact_key from pipeline.current_prospects)
    and not exists (
        select 1 from pipeline.current_leads as l
        where l.contact_key = rejected_records.contact_key and l.lead_key = rejected_records.lead_key
    );
