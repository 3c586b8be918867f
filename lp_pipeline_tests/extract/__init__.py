"""Tests of lp_pipeline."""
