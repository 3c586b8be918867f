-- SPEC E5: every communication, with what says whose it is.
select
    communication_id, coalesce(assigned_contact_id, external_contact_id) as external_contact_id, external_id, contact_id,
    phone, email,
    (
        select group_concat(distinct p.external_contact_id) from communication_pushes as p
        where p.communication_id = c.communication_id and p.external_contact_id is not null
    ) as pushed_to
from communications as c;
