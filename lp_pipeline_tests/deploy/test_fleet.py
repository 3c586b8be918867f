"""`deploy/fleet/` as files: systemd and Compose accept them, and they add to the deployment of one account only what
many accounts need (SPEC A3, A4, R4)."""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from lp_pipeline.cli.home import FLEET
from lp_pipeline.cli.main import main
from lp_pipeline.cli.postgres import VARIABLE
from lp_pipeline.orchestration.fleet_redis import PASSWORD_FILE
from lp_pipeline.settings import REPOSITORY
from lp_pipeline.settings.accounts import ACCOUNTS_SETTING
from lp_pipeline_tests.deploy.test_container import COMPOSE, LOCKED, PINNED, TEXT
from lp_pipeline_tests.deploy.test_units import OURS, UNITS, commands
from lp_pipeline_tests.deploy.units import COMMON, FOLDER, programs, settings_of

FLEET_FOLDER = REPOSITORY / "deploy" / "fleet"
SYSTEMD = FLEET_FOLDER / "systemd"
WORKER = SYSTEMD / "lp-pipeline-worker@.service"
ADDED: dict[str, Any] = yaml.safe_load((FLEET_FOLDER / "compose.yaml").read_text(encoding="utf-8"))
DAGSTER: dict[str, Any] = yaml.safe_load((FLEET_FOLDER / "dagster.yaml").read_text(encoding="utf-8"))
SHARDS = ("east", "west")
QUEUES = [f"{shard}{kind}" for shard in SHARDS for kind in ("", "-long")]
NEEDED = {VARIABLE, "FLEET_POSTGRES_URL", FLEET}  # by deploy/fleet/dagster.yaml


def variables(name: str) -> dict[str, str]:
    """What a file of variables sets."""
    return dict(settings_of(SYSTEMD / name))


@pytest.mark.slow
@pytest.mark.skipif(not (shutil.which("systemd-analyze") or os.environ.get("CI")), reason="apt-get install systemd")
def test_systemd_accepts_every_unit_of_a_fleet(tmp_path: Path) -> None:
    """`systemd-analyze verify` has nothing to say about the units of two shards with those of one account, drop-ins
    included, with this environment's programs in place of those in /opt."""
    copied = Path(shutil.copytree(FOLDER, tmp_path / "units"))
    shutil.copytree(SYSTEMD, copied, dirs_exist_ok=True)
    ours = programs(tmp_path)
    for unit in [*copied.glob("*.service"), *copied.glob("*.d/*.conf")]:
        unit.write_text(unit.read_text().replace(OURS, f"{ours}/"))
    names = [f"lp-pipeline-worker@{queue}.service" for queue in QUEUES]
    names += [f"lp-pipeline-shard@{shard}.target" for shard in SHARDS] + [unit.name for unit in UNITS]
    names += [f"lp-pipeline-health@worker@{queue}.{kind}" for queue in QUEUES for kind in ("service", "timer")]
    paths = [str(copied / name) for name in names]
    for path in map(Path, paths):
        template = path.with_name(re.sub("@.*\\.", "@.", path.name))
        if template != path:
            shutil.copy(template, path)
    verified = subprocess.run(["systemd-analyze", "verify", "--man=no", *paths], capture_output=True, text=True)
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")


def test_a_shards_target_starts_its_two_workers_and_the_inbox() -> None:
    """A worker for each queue that `queue_of` names, under the pipeline's own target; its health is asked for."""
    (wants,) = (value for name, value in settings_of(SYSTEMD / "lp-pipeline-shard@.target") if name == "Wants")
    assert wants.split() == [
        "lp-pipeline-worker@%i.service",
        "lp-pipeline-worker@%i-long.service",
        "lp-pipeline-inbox.service",
    ]
    pairs = settings_of(WORKER)
    assert {("Restart", "always"), ("PartOf", "lp-pipeline.target"), ("KillMode", "mixed")} <= set(pairs)
    assert "lp-pipeline-health@worker@%i.timer" in dict(pairs)["Wants"]


def test_a_worker_takes_as_many_runs_as_dagster_lets_through() -> None:
    """What waits in Celery counts as starting, and fails after some minutes: it has to wait in Dagster (A4)."""
    limits = {each["key"]: each for each in DAGSTER["run_coordinator"]["config"]["tag_concurrency_limits"]}
    limit = limits["lp/queue"]
    assert limit["value"] == {"applyLimitPerUniqueValue": True}
    (on_host,) = (command for command in commands(WORKER) if command[0] == f"{OURS}celery")
    for queue in QUEUES:
        command = ADDED["services"][f"worker-{queue}"]["command"]
        assert command == shlex.split(shlex.join(on_host).replace(OURS, "").replace("%i", queue).replace("%%h", "%h"))
        assert command[command.index("--concurrency") + 1] == str(limit["limit"])


def test_only_a_shards_own_services_have_its_volume() -> None:
    """A3: no other service can reach an account's data; the web server reaches no settings either."""
    volumes = {
        name: {volume.partition(":")[0] for volume in service.get("volumes", [])}
        for name, service in ADDED["services"].items()
    }
    for shard in SHARDS:
        holders = {name for name, held in volumes.items() if shard in held}
        assert holders == {f"worker-{shard}", f"worker-{shard}-long", f"inbox-{shard}"}
    settings = {name for name, held in volumes.items() if "accounts" in held}
    assert settings == {name for name in ADDED["services"] if name.startswith(("worker-", "inbox-"))} | {
        "code-server",
        "daemon",
    }
    for folder in ("accounts", "data"):
        assert f"/var/lib/lp-pipeline/{folder}" in TEXT  # or the volume would be root's


def test_the_compose_file_names_only_what_exists() -> None:
    """Services, volumes, networks, secrets and files, those of one account's deployment included."""
    services = COMPOSE["services"] | ADDED["services"]
    for service in ADDED["services"].values():
        assert set(service.get("depends_on", {})) <= set(services)
        assert set(service.get("networks", [])) <= set(COMPOSE["networks"])
        named = {each if isinstance(each, str) else each["source"] for each in service.get("secrets", [])}
        assert named <= set(COMPOSE["secrets"]) | set(ADDED["secrets"])
        for source in (volume.partition(":")[0] for volume in service.get("volumes", [])):
            folder = REPOSITORY / "deploy" / "container"
            assert source in COMPOSE["volumes"] | ADDED["volumes"] or (folder / source).exists()
        if build := service.get("build", {}):
            lock = build.get("args", {}).get("LOCK", "requirements-fleet.lock")
            assert (REPOSITORY / lock).exists()
            assert f"COPY requirements-deploy.lock {lock} ./\nARG LOCK=" in TEXT
        image = service.get("image", "lp-pipeline")
        assert image.startswith("lp-pipeline") or PINNED.fullmatch(image)
    assert (FLEET_FOLDER / "pgbouncer.Containerfile").read_text().count("FROM debian:12-slim") == 1


def test_what_is_new_is_as_protected_as_what_was_there() -> None:
    """R4: no port is published, nobody has rights, every secret is a file, every service says whether it is healthy."""
    base = COMPOSE["services"]["code-server"]
    for name, service in ADDED["services"].items():
        assert "ports" not in service
        assert "user" not in service
        if name in COMPOSE["services"]:
            continue
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][-1]
        if service["image"] == "lp-pipeline-fleet":
            for key in ("init", "read_only", "tmpfs", "cap_drop", "security_opt", "stop_grace_period"):
                assert service[key] == base[key], key
    addresses = [
        value
        for service in ADDED["services"].values()
        for key, value in service.get("environment", {}).items()
        if key.endswith("_URL")
    ]
    addresses += [value for name in ("fleet.env", "web.env") for value in variables(name).values()]
    assert [address for address in addresses if re.search("//[^/@]*:[^/@]*@", address)] == []
    assert {str(Path(secret["file"]).parent) for secret in ADDED["secrets"].values()} == {"secrets"}
    assert ("LoadCredential", "redis-password:/etc/lp-pipeline/redis-password") in settings_of(
        SYSTEMD / COMMON.parent.name / "fleet.conf"
    )


def test_everybody_goes_through_pgbouncer_but_the_web_server() -> None:
    """The web server limits the time of its queries, and in transaction mode that limit would be everybody's."""
    for name, service in ADDED["services"].items():
        if environ := service.get("environment", {}):
            own = {key: value for key, value in environ.items() if key.endswith("POSTGRES_URL")}
            if name == "web":
                assert own[VARIABLE] == own["FLEET_POSTGRES_URL"]
            elif own:
                assert own[VARIABLE].endswith("@pgbouncer:6432/dagster")
                assert environ.keys() >= NEEDED | {PASSWORD_FILE, ACCOUNTS_SETTING}
    host = variables("fleet.env")
    assert host.keys() >= NEEDED | {ACCOUNTS_SETTING}
    assert ":6432/" in host[VARIABLE]
    assert variables("web.env") == {VARIABLE: host["FLEET_POSTGRES_URL"]}
    assert "EnvironmentFile" in dict(settings_of(SYSTEMD / "lp-pipeline-web.service.d" / "web.conf"))


def test_the_inbox_of_an_account_is_that_of_its_shard() -> None:
    """Every address of the proxy's map is a service of the compose file, at the port of its command."""
    named = set(re.findall(r"(inbox-[a-z]+):(\d+);", (FLEET_FOLDER / "inboxes.conf").read_text()))
    assert {name for name, _ in named} == {f"inbox-{shard}" for shard in SHARDS}
    for name, port in named:
        assert ADDED["services"][name]["command"][-1] == port
    assert ADDED["services"]["proxy"]["environment"] == {"INBOX": "$$inbox_of_account"}


def test_every_command_of_the_fleets_units_exists() -> None:
    """Ours by their names."""
    units = (WORKER, SYSTEMD / "lp-pipeline-backup.service.d" / "all.conf")
    found = [command for unit in units for command in commands(unit)]
    ours = [command for command in found if command[:1] == [f"{OURS}lp-pipeline"]]
    assert {command[1] for command in ours} == {"home", "health", "backup"}
    assert {command[1] for command in ours} <= set(main.commands)
    (backup,) = (command for command in ours if command[1] == "backup")
    assert backup[2] in {option for each in main.commands["backup"].params for option in each.opts}


def test_the_lock_file_of_fleets_is_that_of_deployments_and_what_the_fleet_needs() -> None:
    """The same versions and hashes as everywhere; Celery and Redis besides, and no developers' tools."""
    every, deployed, fleet = (
        {name: set(hashes.split()) - {"\\"} for name, hashes in LOCKED.findall((REPOSITORY / file).read_text())}
        for file in ("requirements.lock", "requirements-deploy.lock", "requirements-fleet.lock")
    )
    assert {name: hashes for name, hashes in deployed.items() if fleet.get(name) != hashes} == {}
    assert {name: hashes for name, hashes in fleet.items() if every.get(name) != hashes} == {}
    added = {name.partition("==")[0] for name in fleet.keys() - deployed.keys()}
    assert {"celery", "dagster-celery", "redis"} <= added
    assert not added & {"pytest", "mypy", "ruff", "playwright", "hypothesis"}
