"""A Hypothesis profile for runs that dig deeper: `pytest --hypothesis-profile drills <file>`."""

from hypothesis import settings

settings.register_profile("drills", max_examples=1000)
