-- SPEC K1: communications that arrived before a time and are finished: each of their pushes is sent or skipped, and none is
-- to be looked up (R5). The ledger keeps its rows, so one that arrives again is not pushed again. Parameter: before.
delete from communications
where
    landed_at < :before
    and exists (select 1 from communication_pushes as p where p.communication_id = communications.communication_id)
    and not exists (
        select 1 from communication_pushes as p
        where p.communication_id = communications.communication_id and p.state not in ('sent', 'skipped')
    )
    and not exists (
        select 1 from pushes_to_look_for as l where l.communication_id = communications.communication_id
    )
returning communication_id;
