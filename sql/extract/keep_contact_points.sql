-- SPEC J8: keep the forms that were computed. Parameters: kind, written, place, form, a list of each.
insert into pipeline.contact_points
select unnest($kind::varchar[]), unnest($written::varchar[]), unnest($place::integer[]), unnest($form::varchar[]);
