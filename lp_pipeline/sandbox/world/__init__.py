"""The sandbox's made-up records: stored in one file, made at first use, changed as time goes by."""
