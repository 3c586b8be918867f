-- SPEC C8: why a target, or all of them, was stopped, if nothing has gone through since.
select substr(name, 9) as target, value as why from facts where name like 'stopped%' and value <> '' order by name;
