-- SPEC R7: the contacts that pushes last went to, besides those in doubt: if LeadPerfection shows none of them either, it
-- is an outage.
select external_contact_id
from communication_pushes
where
    state = 'sent' and external_contact_id is not null
    and external_contact_id not in (
        select external_contact_id from communication_pushes where state = 'sending' and external_contact_id is not null
    )
group by external_contact_id
order by max(updated_at) desc
limit 3;
