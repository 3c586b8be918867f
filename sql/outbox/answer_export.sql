update export_requests
set outcome = :outcome, items = :items, through = :through, error = :error
where requested_at = :now and data_source = :data_source;
