"""The container file and the compose file: what is pinned, who runs, what is reachable, where secrets are (SPEC R4)."""

import re
import shlex
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from lp_pipeline.cli.health import SERVICES as HEALTH
from lp_pipeline.settings import REPOSITORY
from lp_pipeline_tests.deploy.units import FOLDER, SOCKET, settings_of

CONTAINER = REPOSITORY / "deploy" / "container"
TEXT = (CONTAINER / "Containerfile").read_text(encoding="utf-8")
STEPS = [
    (line.split(maxsplit=1)[0], line.split(maxsplit=1)[1])
    for line in TEXT.replace("\\\n", " ").splitlines()
    if line and not line.startswith("#")
]
COMPOSE: dict[str, Any] = yaml.safe_load((CONTAINER / "compose.yaml").read_text(encoding="utf-8"))
OURS = {name: service for name, service in COMPOSE["services"].items() if service["image"] == "lp-pipeline"}
LOCKED = re.compile(r"^([\w.-]+(?:\[[\w,]+\])?==[^ \\]+)(?: ; .*?)?((?: \\\n    --hash=\S+)+)", re.MULTILINE)
PINNED = re.compile(r"[a-z]+:\d+(\.\d+)?-[a-z-]+")  # a plain name with a version: no host of a registry


def steps(keyword: str) -> list[str]:
    """What stands behind this keyword, in order."""
    return [rest for name, rest in STEPS if name == keyword]


def test_what_it_is_built_from_is_pinned() -> None:
    """A base of one version, and packages of the lock file by their hashes; nothing is fetched from an address."""
    assert {base.split()[0] for base in steps("FROM")} == {"python:3.11-slim-bookworm"}
    assert all(PINNED.fullmatch(base.split()[0]) for base in steps("FROM"))
    assert [run for run in steps("RUN") if "pip install" in run] == [
        "pip install --no-deps --require-hashes -r ${LOCK}",
        "pip install --no-deps --no-build-isolation . && python -m compileall -q /opt/lp-pipeline/venv",
    ]
    assert steps("ARG") == ["LOCK=requirements-deploy.lock"]
    assert steps("ADD") == []
    assert "http" not in TEXT
    images = {service["image"] for service in COMPOSE["services"].values()} - {"lp-pipeline"}
    assert [image for image in images if not PINNED.fullmatch(image)] == []


def test_the_lock_file_of_deployments_is_a_part_of_the_other_one() -> None:
    """The same versions and hashes as those that the tests ran with, without the tools of developers."""
    every, deployed = (
        {name: set(hashes.split()) - {"\\"} for name, hashes in LOCKED.findall((REPOSITORY / file).read_text())}
        for file in ("requirements.lock", "requirements-deploy.lock")
    )
    assert len(deployed) > 60
    assert {name: hashes for name, hashes in deployed.items() if every.get(name) != hashes} == {}
    assert [name for name in deployed if re.match(r"pytest|mypy|ruff|playwright|hypothesis", name)] == []


def test_it_runs_as_a_user_without_rights() -> None:
    """By its number, so that a cluster can see that it is not root; that is the last word on it."""
    assert steps("USER") == ["10001:10001"]
    keywords = [name for name, _ in STEPS]
    assert "RUN" not in keywords[keywords.index("USER") :]
    for service in OURS.values():
        assert service["cap_drop"] == ["ALL"]
        assert service["read_only"] is True
        assert "user" not in service


def test_only_the_program_gets_into_the_image() -> None:
    """R4: what is copied exists and is let through; settings, data and this machine's files are not."""
    lines = (REPOSITORY / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    allowed = [rule[1:] for rule in rules if rule.startswith("!")]
    sources = [source for copy in steps("COPY") if "--from" not in copy for source in copy.split()[:-1]]
    assert sorted(source.rstrip("/") for source in sources) == sorted(allowed)
    assert [source for source in sources if not (REPOSITORY / source).exists()] == []
    for private in ("lp_pipeline.env", ".env", "data/live/work.duckdb", "deploy/container/secrets/pgpass", ".git"):
        assert not [rule for rule in allowed if fnmatch(private, rule) or private.startswith(f"{rule}/")]


def test_every_service_says_whether_it_is_healthy() -> None:
    """Each with the check that its unit has, and starts once what it needs is healthy."""
    assert steps("HEALTHCHECK")[0].endswith('CMD ["lp-pipeline", "health", "code-server"]')
    for name, service in COMPOSE["services"].items():
        if name == "home":
            continue
        assert service["restart"] == "unless-stopped"
        test = service["healthcheck"]["test"]
        if name in OURS:
            assert test == ["CMD", "lp-pipeline", "health", name]
            assert name in HEALTH
    conditions = {
        needed: how["condition"]
        for service in COMPOSE["services"].values()
        for needed, how in service.get("depends_on", {}).items()
    }
    assert conditions.pop("home") == "service_completed_successfully"
    assert set(conditions.values()) == {"service_healthy"}


@pytest.mark.parametrize("name", ["code-server", "daemon", "web", "inbox"])
def test_a_container_runs_the_command_of_its_unit(name: str) -> None:
    """One way of starting; only the address differs, which is reachable inside the network alone."""
    (unit,) = (value for key, value in settings_of(FOLDER / f"lp-pipeline-{name}.service") if key == "ExecStart")
    command = OURS[name].get("command") or yaml.safe_load(steps("CMD")[0])
    on_host = shlex.split(unit.replace("/opt/lp-pipeline/venv/bin/", "").replace("127.0.0.1", "0.0.0.0"))
    assert command == on_host
    assert {"state:/var/lib/lp-pipeline", f"sockets:{Path(SOCKET).parent}"} == set(OURS[name]["volumes"])


def test_only_the_proxy_with_its_sign_in_can_be_reached() -> None:
    """R4: the UI has no sign-in, so nothing but the proxy publishes a port; PostgreSQL has no way out."""
    published = {name for name, service in COMPOSE["services"].items() if "ports" in service}
    assert published == {"proxy"}
    assert COMPOSE["networks"]["inner"] == {"internal": True}
    outside = {name for name, service in COMPOSE["services"].items() if "outer" in service.get("networks", [])}
    assert outside == {"proxy", "code-server"}


def test_secrets_are_files() -> None:
    """R4: none is in an environment variable or in this repository; each service gets its own ones only."""
    assert {secret["file"] for secret in COMPOSE["secrets"].values()} == {
        f"secrets/{name}" for name in COMPOSE["secrets"]
    }
    assert "/deploy/container/secrets/" in (REPOSITORY / ".gitignore").read_text().splitlines()
    for service in COMPOSE["services"].values():
        for name, value in service.get("environment", {}).items():
            if re.search("SECRET|PASS|KEY", name):
                assert str(value).startswith("/run/secrets")
        url = service.get("environment", {}).get("DAGSTER_POSTGRES_URL", "")
        assert not re.search("//[^/@]*:[^/@]*@", url)
    holders = {name for name, service in OURS.items() if "lp_pipeline.env" in service["secrets"]}
    assert holders == {"code-server", "inbox"}
