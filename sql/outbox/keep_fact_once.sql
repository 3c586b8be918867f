insert or ignore into facts (name, value) values (:name, :value);
