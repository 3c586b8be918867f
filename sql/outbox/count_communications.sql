-- Totals shown with the asset.
select
    (select count(*) from communications) as so_far,
    (select count(*) from rejected_communications) as rejected;
