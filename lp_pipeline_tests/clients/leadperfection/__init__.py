"""Tests of the LeadPerfection client."""
