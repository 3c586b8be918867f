-- SPEC M6: a row if another prospect has a lead of this batch's, too.
select 1 from elsewhere limit 1;
