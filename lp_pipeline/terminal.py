"""What commands of the shell share: the console, and a home for Dagster's history."""

import os
import sys

from rich.console import Console

from lp_pipeline.settings import REPOSITORY


def console() -> Console:
    """Standard output; lines are not folded when they go into a file or another program."""
    return Console() if sys.stdout.isatty() else Console(width=1000)


def give_dagster_a_home() -> None:
    """So that runs from the shell show in the UI: this repository's own instance, unless one is set."""
    if os.environ.get("DAGSTER_HOME"):
        return
    home = REPOSITORY / ".dagster"
    home.mkdir(exist_ok=True)
    if not (home / "dagster.yaml").exists():
        (home / "dagster.yaml").symlink_to("../dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(home)
