"""What docs/deploying.md names is there: files, units, commands, settings."""

import re
import shlex

from lp_pipeline.cli.main import main
from lp_pipeline.settings import REPOSITORY
from lp_pipeline_tests.deploy.test_container import COMPOSE
from lp_pipeline_tests.deploy.units import FOLDER, settings_of

PAGE = (REPOSITORY / "docs" / "deploying.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
LINES = [line for block in BLOCKS for line in block.splitlines() if line]


def test_files_that_it_names_exist() -> None:
    """Those of the repository; a pattern finds something."""
    named = set(re.findall(r"(?<![\w/.-])(?:deploy|docs)/[\w./*-]*[\w*]", PAGE)) | {"requirements-deploy.lock"}
    assert len(named) > 10
    assert [name for name in named if not list(REPOSITORY.glob(name))] == []


def test_units_that_it_names_exist() -> None:
    """With their suffix or without; the migration is a unit of the moment."""
    named = set(re.findall(r"(?<![\w/-])lp-pipeline-[a-z-]+[a-z](?:\.\w+)?", PAGE)) - {"lp-pipeline-migrate"}
    units = {path.name for path in FOLDER.iterdir()} | {path.stem for path in FOLDER.iterdir()}
    assert {"lp-pipeline-code-server", "lp-pipeline-backup.timer"} <= named
    assert named - units == set()


def test_commands_that_it_names_exist() -> None:
    """Ours, on the machine and in the container; each shell line is one that a shell can read."""
    named = set(re.findall(r"(?:`|sudo |code-server |run )lp-pipeline ([a-z]+)", PAGE))
    assert {"status", "health", "home"} <= named
    assert named <= set(main.commands)
    assert [line for line in LINES if not shlex.split(line.partition(" | ")[0], comments=True)] == []


def test_everything_that_the_units_need_is_installed_by_it() -> None:
    """Each file of the folder and the workspace; the services that the target wants start with the machine."""
    installed = " ".join(BLOCKS[0].split())
    for path in FOLDER.iterdir():
        assert path.name in installed or f"*{path.suffix}" in installed, path
    assert "deploy/workspace.yaml" in installed
    wanted = dict(settings_of(FOLDER / "lp-pipeline.target")[:2])["Wants"].split()
    assert len(wanted) == 3
    for unit in wanted:
        assert unit.removesuffix(".service") in installed.rpartition("enable --now")[2].split()


def test_every_secret_of_the_compose_file_is_made_by_it() -> None:
    """By a line for each, in the folder that git ignores."""
    (block,) = (block for block in BLOCKS if "secrets/pgpass" in block)
    made = {line.split("secrets/")[-1] for line in block.splitlines() if not line.startswith(("chmod", "sudo chown"))}
    assert set(COMPOSE["secrets"]) <= made
