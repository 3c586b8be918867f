select value from facts where name = :name;
