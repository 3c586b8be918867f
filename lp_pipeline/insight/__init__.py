"""What people want to know: is it all right (status, alerts), why is a record there or not (explain), what is wrong with
the setup (doctor), and the report for people without SQL. Nothing here changes data."""
