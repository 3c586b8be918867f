-- SPEC E5: the phone numbers and email addresses that only this prospect has. Parameters: one list per column.
create or replace temp table written as
select unnest($kind::varchar[]) as kind, unnest($written::varchar[]) as written, unnest($form::varchar[]) as form;
