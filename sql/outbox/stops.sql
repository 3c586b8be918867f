-- SPEC C8: what stopped a target, or all of them, and has not gone through since.
select substr(name, 9) as target, value as why from facts where name like 'stopped%' and value <> '' order by name;
