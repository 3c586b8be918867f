insert or ignore into rejected_communications values (:record, :source, :reason, :landed_at);
