-- What the identity guard holds (SPEC M9), for `lp-pipeline held`; out of the published copy.
select external_contact_id, external_id, known_created_local as known_as, external_created_local as shown_as, held_at
from held_opportunities
where state = 'held'
order by all
