-- SPEC M9: suspects that are held wait here, as they were last read, for a person; each suspect is counted once.
-- Variable: now_at.
delete from held_opportunities
using outcomes as s
where
    s.outcome = 'held'
    and held_opportunities.external_contact_id = s.external_contact_id
    and held_opportunities.external_id is not distinct from s.external_id
    and held_opportunities.external_created_local = s.external_created_local;

insert into held_opportunities by name
select
    * exclude (outcome, first_synced_at, gone_since, rejection_key, held_state)
    replace (coalesce(held_at, getvariable('now_at')) as held_at),
    coalesce(held_state, 'held') as state
from outcomes
where outcome = 'held';

insert into pipeline.suspects
select external_contact_id, external_id, external_created_local, getvariable('now_at')
from outcomes
where known_created_local is not null and held_state is null;
