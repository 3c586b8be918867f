-- The next readings to be converted, in order. Parameters: after, most.
select reading_no, record from old_readings where reading_no > $after order by reading_no limit $most
