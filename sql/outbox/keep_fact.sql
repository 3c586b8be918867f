insert or replace into facts (name, value) values (:name, :value);
