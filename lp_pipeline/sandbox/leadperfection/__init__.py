"""The sandbox's LeadPerfection: sign-in, feeds and writes, as in the contract."""
