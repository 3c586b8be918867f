"""The sandbox's synthetic records: stored in one file, created at first use, changed over time."""
