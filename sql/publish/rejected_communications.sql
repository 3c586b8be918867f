-- SPEC Q1: append rows of the outbox; a list of values for each column.
insert into rejected_communications
select
    unnest($record::varchar[]),
    unnest($source::varchar[]),
    unnest($reason::varchar[]),
    unnest($landed_at::varchar[]);
