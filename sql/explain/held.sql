-- SPEC E1: what the identity guard holds or was dropped of a contact, and how many it holds in all. Parameter: contact.
select
    external_id, external_created_local, known_created_local, state, held_at, status,
    (select count(*) from held_opportunities where state = 'held') as held_in_all
from held_opportunities
where external_contact_id = $contact
order by held_at;
