insert into export_requests (requested_at, data_source, start_date, end_date, outcome)
values (:now, :data_source, :start_date, :end_date, 'asked');
