-- SPEC E2: when Hatch last gave an export; null if it never did.
select max(requested_at) as requested_at from export_requests where outcome = 'read';
