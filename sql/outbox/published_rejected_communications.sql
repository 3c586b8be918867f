select record, source, reason, landed_at from rejected_communications order by landed_at;
