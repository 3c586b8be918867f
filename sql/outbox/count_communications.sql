-- Totals shown with the asset.
select
    (select count(*) from communications) as "communications so far",
    (select count(*) from rejected_communications) as "rejected so far";
