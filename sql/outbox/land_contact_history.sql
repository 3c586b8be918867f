-- SPEC C5: which LeadPerfection contact a Hatch contact is; the newest row of each counts.
insert into contact_history values (:hatch_contact_id, :external_contact_id, :email, :phone, :updated_at)
on conflict (hatch_contact_id) do update set
    external_contact_id = coalesce(excluded.external_contact_id, contact_history.external_contact_id),
    email = coalesce(excluded.email, contact_history.email),
    phone = coalesce(excluded.phone, contact_history.phone),
    updated_at = excluded.updated_at
where
    coalesce(excluded.updated_at, '') >= coalesce(contact_history.updated_at, '')
    and (
        coalesce(excluded.external_contact_id, contact_history.external_contact_id),
        coalesce(excluded.email, contact_history.email),
        coalesce(excluded.phone, contact_history.phone),
        excluded.updated_at
    ) is not (
        contact_history.external_contact_id, contact_history.email, contact_history.phone, contact_history.updated_at
    );
