"""The whole pipeline against random histories: edits, syncs, outages, faults, clocks and kills (SPEC R1)."""
