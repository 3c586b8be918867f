-- SPEC Q1: the contacts whose rows are written next. Variable: slice.
create or replace temp table chosen as select contact_key from sliced where slice = getvariable('slice');
