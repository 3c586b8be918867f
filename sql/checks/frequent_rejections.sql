-- SPEC J7: keys whose absence caused more than 1% of the last day's records to be rejected. Variable: now_at.
with rejected as (
    select unnest(missing) as name, contact_key, lead_key
    from rejected_records
    where last_rejected_at > getvariable('now_at') - interval 24 hours
),
judged as (
    select
        (select count(*) from opportunities where changed_at > getvariable('now_at') - interval 24 hours)
        + (select count(distinct (contact_key, lead_key)) from rejected) as records
)
select r.name, count(*) as rejected, any_value(j.records) as judged
from rejected as r cross join judged as j
group by r.name
having count(*) * 100 > any_value(j.records)
order by rejected desc, r.name;
