"""The whole pipeline against random histories: edits, syncs, outages, faults, clocks and kills (R1, issue 4)."""
