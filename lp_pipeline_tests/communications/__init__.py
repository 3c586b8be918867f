"""Tests of what a note says, where it goes, and the push protocol."""
