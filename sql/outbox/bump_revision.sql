-- Counts the changes that people see at the next publication (SPEC Q1).
insert into facts (name, value) values ('revision', '1')
on conflict (name) do update set value = cast(cast(value as integer) + 1 as text);
