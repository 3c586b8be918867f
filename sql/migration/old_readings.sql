-- Schema 4 and older: prospects and leads in tables of their own, each record three times. Here they are put together
-- again, the leads in their order.
create temp table old_leads as
select reading_no, '[' || string_agg(record::varchar, ',' order by lead_place) || ']' as leads
from raw.leads
group by reading_no;

create temp table old_readings as
select
    p.reading_no, p.sync_id, p.feed, p.page, p.place, p.read_at, p.contact_key, p.external_contact_id,
    ('0x' || p.digest[1:16])::ubigint as digest,
    case
        when l.leads is null then p.record::varchar
        when p.record::varchar = '{}' then '{"leads":' || l.leads || '}'
        else left(p.record::varchar, -1) || ',"leads":' || l.leads || '}'
    end as record
from raw.prospects as p left join old_leads as l using (reading_no);
