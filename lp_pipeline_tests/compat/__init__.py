"""Which clients can read the published file, and what they make of its types: `make compat`."""
