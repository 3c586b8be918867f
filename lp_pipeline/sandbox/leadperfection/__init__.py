"""The sandbox's LeadPerfection: its feeds and writes, as the contract says."""
