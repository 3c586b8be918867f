"""The files of the data folder: transactions, the published copy, full disks, damage (SPEC Q, R1)."""
