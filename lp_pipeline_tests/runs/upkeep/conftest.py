"""The fixtures of pushes serve backups too."""

from lp_pipeline_tests.communications.conftest import published_people, talk

__all__ = ["published_people", "talk"]
