-- SPEC M9: the pairs that are held: the same contact and lead under another External Created At.
select h.external_contact_id, h.external_id, h.external_created_local, h.known_created_local
from held_opportunities as h
where h.state = 'held'
order by h.held_at, h.external_contact_id, h.external_id;
