-- SPEC J3, M8: views for users. They only choose rows and columns of one table, so that `import database` can create
-- them in any order, and must also run on DuckDB 1.5.
create view opportunities as select * exclude (opportunity_place, prospect, lead) from opportunity_details;

create view ranked_opportunities as select * exclude (prospect, lead) from opportunity_details;

-- M8: the first opportunity of each contact.
create view current_opportunities as
select * exclude (opportunity_place, prospect, lead) from opportunity_details where opportunity_place = 1;
