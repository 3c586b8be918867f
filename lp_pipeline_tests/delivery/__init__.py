"""Tests of what goes to Hatch."""
