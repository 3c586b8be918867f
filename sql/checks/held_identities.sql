-- SPEC M9: held opportunities, each with the External Created At under which its contact and lead are already known.
select h.external_contact_id, h.external_id, h.external_created_local, h.known_created_local
from held_opportunities as h
where h.state = 'held'
order by h.held_at, h.external_contact_id, h.external_id;
