"""`report.html`: the page for people without SQL (SPEC E8). Its numbers are SQL (`sql/report/`), read by `facts.py`;
`findings.py` says what they show, `charts.py` draws, `page.py` puts the page together, `write.py` writes the file."""
