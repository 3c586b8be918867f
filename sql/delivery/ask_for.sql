-- SPEC D1: `lp-pipeline deliver --since`: queue everything that changed since then. Variables: since, now_at,
-- sync_id.
insert into pipeline.due_deliveries
select
    external_contact_id, external_id, external_created_local, 'asked', getvariable('sync_id'), getvariable('now_at')
from opportunities
where changed_at >= getvariable('since') and gone_since is null;
