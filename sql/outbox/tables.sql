-- SPEC K2: the tables of the outbox.
select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' order by name;
