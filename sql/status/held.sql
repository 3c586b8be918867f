-- The opportunities that the identity guard holds until somebody accepts or drops them.
select
    external_contact_id,
    external_id,
    known_created_local as known_as,
    external_created_local as shown_as,
    held_at
from held_opportunities
where state = 'held'
order by all;
