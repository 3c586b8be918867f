"""What travels with the program: its code location for Dagster, and files (`sql/`, `dagster.yaml`, the example of a
settings file). In a checkout they are beside the package, in an installed wheel inside it. What users bring is found by
the other modules here.
"""

from functools import cache
from pathlib import Path

LOCATION = "lp_pipeline.definitions"  # as Dagster names it by `workspace.yaml`, by `-m`, and by `[tool.dg]`
PACKAGE = Path(__file__).resolve().parent.parent


@cache
def package_data(name: str) -> Path:
    """The absolute path of a file or folder that travels with the program."""
    installed = PACKAGE / name
    return installed if installed.exists() else PACKAGE.parent / name
