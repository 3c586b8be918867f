"""Tests of the Hatch client."""
