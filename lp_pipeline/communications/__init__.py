"""What a note says, where it goes, the push protocol."""

# What a push writes in LeadPerfection. Here, where the command line finds it without loading DuckDB.
NOTE, CALL_LOG, PRODUCTION_NOTE = TARGETS = ("note", "call_log", "production_note")
