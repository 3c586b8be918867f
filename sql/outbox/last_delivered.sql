-- SPEC E2: when Hatch last took an opportunity; null if it never did.
select max(delivered_at) as delivered_at from hatch_deliveries;
