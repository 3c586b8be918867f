"""What people want to know: is all well (status, alerts), why a record is there or not (explain), what is wrong with
the setup (doctor), and the report for people without SQL. Nothing here changes data."""
