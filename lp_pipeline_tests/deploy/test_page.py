"""What docs/deploying.md and docs/fleet.md name is there: files, units, commands, settings."""

import re
import shlex
import subprocess
from pathlib import Path

from lp_pipeline.cli.main import main
from lp_pipeline.settings import REPOSITORY
from lp_pipeline_tests.deploy.test_container import COMPOSE
from lp_pipeline_tests.deploy.test_fleet import ADDED, SYSTEMD
from lp_pipeline_tests.deploy.units import FOLDER, settings_of

FLEET_PAGE = (REPOSITORY / "docs" / "fleet.md").read_text(encoding="utf-8")
PAGE = (REPOSITORY / "docs" / "deploying.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
LINES = [line for block in BLOCKS for line in block.splitlines() if line]


def test_files_that_it_names_exist() -> None:
    """Those of the repository; a pattern finds something."""
    named = set(re.findall(r"(?<![\w/.-])(?:deploy|docs)/[\w./*-]*[\w*]", PAGE)) | {"requirements-deploy.lock"}
    assert len(named) > 10
    assert [name for name in named if not list(REPOSITORY.glob(name))] == []


def test_what_the_page_about_fleets_names_exists() -> None:
    """Its files, its units (with one of the shards for %i), our commands; each shell line is one that a shell reads."""
    named = set(re.findall(r"(?<![\w/.-])(?:deploy|docs)/[\w./*-]*[\w*]", FLEET_PAGE))
    assert len(named) > 10
    assert [name for name in named if not list(REPOSITORY.glob(name))] == []
    units = {path.name.replace("@", "@east") for folder in (FOLDER, SYSTEMD) for path in folder.iterdir()}
    of_page = set(re.findall(r"(?<![\w/-])lp-pipeline-[a-z@-]+[a-z](?:\.(?:target|timer|service))?", FLEET_PAGE))
    asked = {unit.replace("@west", "@east").replace("-long", "") for unit in of_page}
    assert {"lp-pipeline-shard@east.target", "lp-pipeline-worker@east"} <= asked
    assert [unit for unit in asked if not any(each in (unit, f"{unit}.service") for each in units)] == []
    commands = set(re.findall(r"(?:`|sudo |worker-east )lp-pipeline (?:--account \w+ )?([a-z]+)", FLEET_PAGE))
    assert {"accounts", "restore", "health"} <= commands <= set(main.commands)
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```$", FLEET_PAGE, re.MULTILINE | re.DOTALL)
    subprocess.run(["/bin/sh", "-n"], input="".join(blocks), text=True, check=True)
    made = set(re.findall(r"> secrets/(\w+)", FLEET_PAGE))
    assert {Path(secret["file"]).name for secret in ADDED["secrets"].values()} <= made
    installed = [Path(word) for word in blocks[0].split() if "/" in word and not word.endswith("/")]
    left_out = [path for path in SYSTEMD.iterdir() if not any(path.match(each.name) for each in installed)]
    assert left_out == []


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
