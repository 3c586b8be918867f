-- SPEC J8: store computed normal forms. Parameters: kind, written, place, form (a list each).
insert into pipeline.contact_points
select unnest($kind::varchar[]), unnest($written::varchar[]), unnest($place::integer[]), unnest($form::varchar[]);
