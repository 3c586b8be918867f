-- How much of everything there is, for `lp-pipeline status`; each column's name is what a person reads.
select
    (select count(*) from prospects) as prospects,
    (select count(*) from leads) as leads,
    (select count(*) from opportunities) as opportunities,
    (select count(*) from current_opportunities) as contacts,
    (select count(*) from rejected_records) as rejected,
    (select count(*) from held_opportunities where state = 'held') as waiting_for_your_decision,
    (
        select count(*)
        from opportunity_changes
        where sync_id = (select max(sync_id) from opportunity_changes)
    ) as changes_by_the_last_sync,
    (select count(*) from hatch_deliveries where state = 'delivered') as delivered_to_hatch,
    (select count(*) from communications) as communications_from_hatch;
