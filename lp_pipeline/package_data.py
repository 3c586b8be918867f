"""Files that travel with the program: `sql/` and `dagster.yaml`. In a checkout they are beside the package, in an
installed wheel inside it. What users bring, their settings and data, is found by `settings`.
"""

from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


@cache
def package_data(name: str) -> Path:
    """The absolute path of a file or folder that travels with the program."""
    installed = PACKAGE / name
    return installed if installed.exists() else PACKAGE.parent / name
