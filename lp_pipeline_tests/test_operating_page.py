"""Every message of docs/operating.md is what the program says: each is produced here, as cheaply as it can be."""

import errno
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import dagster as dg
import duckdb
import msgspec
import psycopg2
import pytest
from click.testing import CliRunner
from pydantic import SecretStr

from lp_pipeline.cli import console, dev, home, postgres
from lp_pipeline.cli.main import main
from lp_pipeline.clients import webhook
from lp_pipeline.clients.hatch import responses as hatch
from lp_pipeline.clients.leadperfection import auth, page, responses
from lp_pipeline.clients.leadperfection.writes import Written
from lp_pipeline.clients.outside import distrust, proxy_for, trusted
from lp_pipeline.clients.retry import Kind, PermanentError, TransientError
from lp_pipeline.communications import ownership, push
from lp_pipeline.errors import BrokenProgram, PipelineError
from lp_pipeline.insight.health import health
from lp_pipeline.orchestration.build import build_definitions
from lp_pipeline.orchestration.failures import INTERRUPTED
from lp_pipeline.orchestration.outside_checks import _problems
from lp_pipeline.runs.journal import RUNNING
from lp_pipeline.runs.reports import DeliveryOutcome
from lp_pipeline.runs.steps import read_feed
from lp_pipeline.runs.upkeep import backup, manifest, restore
from lp_pipeline.settings import REPOSITORY, Settings, load_settings, refuse_dotenv
from lp_pipeline.settings.package_data import package_data
from lp_pipeline.settings.sources import read_file
from lp_pipeline.storage import public_file
from lp_pipeline.storage.account import check_known
from lp_pipeline.storage.duckdb_zones import duckdb_shifts
from lp_pipeline.storage.failures import readable_errors
from lp_pipeline.storage.forgotten import Forgotten
from lp_pipeline.storage.locks import Turn
from lp_pipeline.storage.outbox import Outbox
from lp_pipeline.storage.published import open_published
from lp_pipeline.storage.warehouse import Warehouse
from lp_pipeline.transform.merge import without_ids_message
from lp_pipeline_tests.account import PACE, Account, failures
from lp_pipeline_tests.account import account as an_account
from lp_pipeline_tests.runs.past import person
from lp_pipeline_tests.scenario import LIVE, prospect

TEXT = (REPOSITORY / "docs" / "operating.md").read_text(encoding="utf-8")
HEADS = "| you see |"
CHECKS = {f"{check.name}" for definition in build_definitions().asset_checks or () for check in definition.check_specs}
HOST = "https://lp.example"
ACCOUNT = [LIVE["LP_API_URL"], LIVE["LP_CLIENT_ID"], "America/Denver"]
DAYS = datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)


def messages() -> list[str]:
    """What stands in the first column of the tables of messages, each in backticks."""
    found = []
    for table in re.split(r"\n\n", TEXT):
        if HEADS in table:
            rows = table[table.index(HEADS) :].splitlines()[2:]
            for row in rows:
                first = row.split("|")[1]
                spans = re.findall(r"`([^`]+)`", first)
                assert spans, row
                found += spans
    return found


def said(act: Callable[[], object]) -> str:
    """The message of the error that this raises, or what it returns."""
    try:
        result = act()
    except (PipelineError, PermanentError, click.ClickException) as error:
        return error.format_message() if isinstance(error, click.ClickException) else str(error)
    return str(result)


def gave_up(kind: Kind, what: str = "HTTP 503") -> str:
    return str(responses.gave_up(TransientError(kind, what), "GetLead", HOST, "6 tries in 9 s"))


def hatch_gave_up(kind: Kind) -> str:
    return str(hatch.gave_up(TransientError(kind, "HTTP 503"), HOST, "4 tries in 9 s"))


def settings_file(folder: Path, text: str) -> str:
    path = folder / "lp_pipeline.env"
    path.write_text(text)
    return said(lambda: read_file(path))


def dotenv(folder: Path) -> str:
    (folder / ".env").write_text("LP_PASSWORD=x\n")
    before = Path.cwd()
    os.chdir(folder)
    try:
        return said(refuse_dotenv)
    finally:
        os.chdir(before)


def with_environment(name: str, value: str, act: Callable[[], object]) -> str:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        return said(act)
    finally:
        os.environ.pop(name)
        if before is not None:
            os.environ[name] = before


def proxied() -> str | None:
    proxy = proxy_for(urlsplit(HOST))
    return proxy.refusal("407 Proxy Authentication Required") if proxy else None


def untrusted(_: Path) -> str:
    error = ssl.SSLCertVerificationError("self-signed certificate")
    error.verify_code, error.verify_message = 18, "self-signed certificate"
    return distrust(error, "LP_API_URL")


def system_error(number: int) -> str:
    def fail() -> None:
        with readable_errors("write work.duckdb"):
            raise OSError(number, os.strerror(number))

    return said(fail)


def damaged(folder: Path, name: str) -> str:
    (folder / name).write_bytes(b"no database " * 1000)

    def use() -> None:
        if name == "outbox.sqlite":
            Outbox(folder).fact("account")
        else:
            with Warehouse(folder).connection():
                pass

    return said(use)


def newer(folder: Path) -> str:
    with Outbox(folder) as outbox, outbox.transaction() as connection:
        connection.execute("pragma user_version = 99")
    return said(lambda: Outbox(folder).fact("account"))


def held_by_another(folder: Path) -> str:
    path = folder / "work.duckdb"
    duckdb.connect(str(path)).close()
    hold = (
        "import fcntl, sys; f = open(sys.argv[1], 'r+'); fcntl.lockf(f, fcntl.LOCK_EX); print(1, flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        process.stdout.readline()

        def use() -> None:
            with Warehouse(folder, patience_seconds=0).connection():
                pass

        try:
            return said(use)
        finally:
            process.kill()


def meddled(folder: Path) -> str:
    path = folder / "published.duckdb"
    path.write_bytes(b"something else " * 1000)

    def use() -> None:
        with open_published(path):
            pass

    return said(use)


def unpublished(folder: Path) -> str:
    def use() -> None:
        with open_published(folder / "published.duckdb"):
            pass

    return said(use)


def aside(folder: Path) -> str:
    (folder / "published.duckdb").mkdir()
    (folder / "draft").write_text("")
    public_file.replace(folder / "draft", folder / "published.duckdb", None)
    return " ".join(path.name for path in folder.iterdir())


def busy(folder: Path, name: str = "turn", who: str = "another sync") -> str:
    with Turn(folder, name, who=who):
        return said(lambda: Turn(folder, name, patience_seconds=0).__enter__())


def forgotten(folder: Path) -> str:
    (folder / "forgotten.json").write_text("?")
    return said(lambda: Forgotten(folder))


def dagster_file(folder: Path) -> str:
    (folder / "history").mkdir()
    (folder / "history" / "runs.db").write_bytes(b"no database " * 1000)
    return said(lambda: home.check_storage(folder))


def foreign_home(folder: Path) -> str:
    (folder / "other").write_text("")
    with redirect_stderr(StringIO()) as shown:
        home._configure(folder, is_ours=False)
    return shown.getvalue()


def beside_dagster(folder: Path, act: Callable[[], object]) -> str:
    """What is said while a daemon of Dagster's runs in that home, or what looks like one."""
    environ = {**os.environ, "DAGSTER_HOME": str(folder)}
    command = [sys.executable, "-c", "print(1, flush=True); input()", "dagster-daemon"]
    with subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        process.stdout.readline()
        try:
            return said(act)
        finally:
            process.kill()


def out_of_memory() -> None:
    with readable_errors("merge"), duckdb.connect(config={"memory_limit": "10MB"}) as connection:
        connection.execute("set temp_directory = ''; select len(list(i)) from range(5000000) as t(i)")


def restoring(folder: Path) -> str:
    made = manifest.Manifest(load_settings(LIVE).now(), "1", [], [])
    (folder / manifest.NAME).write_bytes(msgspec.json.encode(made))
    environ = {**LIVE, "DAGSTER_HOME": str(folder), "LP_PIPELINE_DATA": str(folder / "data")}
    return CliRunner(env=environ).invoke(main, ["restore", str(folder)]).output


def killed(folder: Path) -> str:
    (folder / RUNNING).mkdir()
    (folder / RUNNING / "a").write_text('{"kind": "sync", "began_at": "2026-03-02T12:00:00Z"}')
    return health(load_settings({**LIVE, "LP_PIPELINE_DATA": str(folder)})).verdict.why


def alone(folder: Path) -> str:
    settings = live(folder)
    with Turn(folder, "push", who="a push"):
        return said(lambda: restore._alone(settings).__enter__())


def outbox_in_use(folder: Path) -> str:
    with Outbox(folder) as outbox:
        outbox.keep("a", "b")
        return said(lambda: restore._leave_outbox(live(folder)))


def copied(folder: Path, *, there: bool) -> str:
    if there:
        (folder / "work.duckdb").write_text("?")
    file = manifest.CopiedFile("work.duckdb", 1, "0", 1, {})
    made = manifest.Manifest(live(folder).now(), "1", [], [file])
    return said(lambda: manifest.check(folder, made))


def live(folder: Path) -> Settings:
    return load_settings({**LIVE, "LP_PIPELINE_DATA": str(folder)})


def owned(folder: Path) -> str:
    return ownership._refusal(ownership.Owner(str(folder), "1"), live(folder))


def answer(outcome: str) -> str:
    return push._advice("note", Written(outcome, "HTTP 503", "no employee"))  # type: ignore[arg-type]


def stop(status: int) -> str:
    body = b'{"errors": [{"detail": "is invalid", "source": {"pointer": "/source"}}]}' if status == 422 else b""
    return str(hatch.upsert_refused(status, body))


def unreached(name: str) -> str:
    with socket.socket() as nobody:  # bound, but it does not listen
        nobody.bind(("127.0.0.1", 0))
        return str(webhook.get(SecretStr(f"http://127.0.0.1:{nobody.getsockname()[1]}/"), name))


def taken(_: Path) -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return dev._taken(server.getsockname()[1])


def loading(change: dict[str, str]) -> str:
    return said(lambda: load_settings({**LIVE, **change}))


def on_postgres(folder: Path) -> str:
    path = folder / "dagster.yaml"
    path.symlink_to(package_data(home.ON_POSTGRES))
    return said(lambda: home._is_to_change(path, postgres=False))


def not_on_postgres(folder: Path) -> str:
    path = folder / "dagster.yaml"
    path.write_text("telemetry: {enabled: false}")
    with redirect_stderr(StringIO()) as shown:
        home._is_to_change(path, postgres=True)
    return shown.getvalue()


def readable_by_all(folder: Path) -> str:
    path = folder / "lp_pipeline.env"
    path.write_text("LP_PASSWORD=x")
    path.chmod(0o644)
    return with_environment("LP_PIPELINE_SETTINGS", str(path), console._exposed_secrets)


PRODUCERS: dict[str, Callable[[Path], str]] = {
    "LP_API_URL is set, but … not. Set it in": lambda _: loading({"LP_PASSWORD": ""}),
    "Some settings are invalid. …": lambda _: loading({"LP_PAGE_SIZE": "many"}),
    "…, which is not a setting: did you mean …?": lambda folder: settings_file(folder, "LP_API_ULR=x"),
    "… is not NAME=value": lambda folder: settings_file(folder, "LP_API_URL"),
    "… holds …. Settings belong in lp_pipeline.env": dotenv,
    "LP_API_URL is not set, and LP_PIPELINE_SANDBOX=false turns the sandbox off": lambda _: loading(
        {"LP_API_URL": "", "LP_PIPELINE_SANDBOX": "false"}
    ),
    "…: set, but LP_API_URL is not": lambda _: loading({"LP_API_URL": ""}),
    "LeadPerfection refuses … to this user": lambda _: str(auth.function_refused("GetLead", 401, b"", None)),
    "LeadPerfection answered … with an error of its own": lambda _: said(
        lambda: page.elements(b'{"Result": -1}', "GetLead")
    ),
    "LeadPerfection answered … with … instead of prospects": lambda _: said(
        lambda: page.elements(b'{"data": []}', "GetLead")
    ),
    "LeadPerfection could not be reached at …": lambda _: gave_up("unreachable"),
    "LeadPerfection timed out: …": lambda _: gave_up("slow"),
    "… not JSON …": lambda _: gave_up("garbled", responses.not_json(b"<html>", "GetLead", 200, "text/html")),
    "… HTTPS_PROXY …": lambda _: with_environment("HTTPS_PROXY", "http://127.0.0.1:1", proxied),
    "SSL_CERT_FILE names …": lambda folder: with_environment("SSL_CERT_FILE", str(folder / "nosuch.pem"), trusted),
    "its certificate can't be trusted: …": untrusted,
    "DuckDB … does not know LP_TIMEZONE=…": lambda _: said(lambda: duckdb_shifts("Mars/Base", *DAYS)),
    "… was filled with times in …, and LP_TIMEZONE is now …": lambda folder: said(
        lambda: check_known(live(folder), ACCOUNT, "America/Denver")
    ),
    "… holds the data of another LeadPerfection account …": lambda folder: said(
        lambda: check_known(live(folder), ["https://other.example", "other"], "")
    ),
    "… has been working on … for more than …": busy,
    "…work.duckdb is held open by process …": held_by_another,
    "…published.duckdb: it is not as the last sync left it.": meddled,
    "Nothing is published yet: …": unpublished,
    "published.duckdb.aside-1": aside,
    "Could not …: the disk is full.": lambda _: system_error(errno.ENOSPC),
    "Could not …: the folder cannot be written.": lambda _: system_error(errno.EACCES),
    "Could not …: the file may not grow any further …": lambda _: system_error(errno.EFBIG),
    "Could not …: DuckDB needs more memory than it had.": lambda _: said(out_of_memory),
    "…work.duckdb: the file is damaged.": lambda folder: damaged(folder, "work.duckdb"),
    "…outbox.sqlite: the file is damaged.": lambda folder: damaged(folder, "outbox.sqlite"),
    "… was written by a newer lp_pipeline …": newer,
    "…forgotten.json is damaged. …": forgotten,
    "Dagster is already using …": lambda folder: beside_dagster(folder, lambda: dev._make_room(folder, replace=False)),
    "Port … is taken …": taken,
    "…, a file of Dagster's, is damaged or can't be opened. …": dagster_file,
    "Warning: … has no dagster.yaml. …": foreign_home,
    "DAGSTER_POSTGRES_URL must begin with postgresql+psycopg2://": lambda _: with_environment(
        "DAGSTER_POSTGRES_URL", "postgres://db", postgres.is_postgres_chosen
    ),
    "Dagster keeps its runs in PostgreSQL, which can't be used now": lambda _: str(
        postgres.unusable_postgres(psycopg2.OperationalError("connection refused"))
    ),
    "… in PostgreSQL, but DAGSTER_POSTGRES_URL is not set": on_postgres,
    "Warning: DAGSTER_POSTGRES_URL is set, but … does not use it": not_on_postgres,
    "Other users of this machine can read the passwords and keys": readable_by_all,
    "The program's own code can't be loaded: …": lambda _: str(BrokenProgram(ImportError("no module"))),
    "Interrupted. Completed work is saved; …": lambda _: INTERRUPTED,
    "The run was killed, or the machine went down, …": killed,
    "Hatch refused the source …": lambda _: stop(422),
    "Hatch could not be reached at …": lambda _: hatch_gave_up("unreachable"),
    "Hatch failed: …": lambda _: hatch_gave_up("failing"),
    "Hatch takes no more for now: …": lambda _: hatch_gave_up("busy"),
    "… already pushes for this LeadPerfection account …": owned,
    "LeadPerfection rejected … consecutive pushes to …": lambda _: answer("refused"),
    "… had an unknown outcome …": lambda _: answer("unknown"),
    "The address in ALERT_WEBHOOK_URL …": lambda _: unreached("ALERT_WEBHOOK_URL"),
    "The address in HEARTBEAT_URL …": lambda _: unreached("HEARTBEAT_URL"),
    "… prospects have no cst_id: …": lambda _: without_ids_message(20, 20),
    "… exists, and a backup never overwrites anything": lambda folder: said(
        lambda: backup.backup(live(folder), folder)
    ),
    "… is not a folder. Create it, or check whether its disk is mounted": lambda folder: said(
        lambda: backup.backup(live(folder), folder / "no" / "such")
    ),
    "There is nothing to back up": lambda folder: said(lambda: backup.backup(live(folder / "no"), folder / "one")),
    "… is not a backup: it has no valid manifest.json": lambda folder: said(lambda: manifest.read_manifest(folder)),
    "… is damaged, so nothing was changed": lambda folder: copied(folder, there=True),
    "is missing": lambda folder: copied(folder, there=False),
    "A push is running": alone,
    "Dagster is running": lambda folder: beside_dagster(folder, lambda: restoring(folder)),
    "Another process uses …": outbox_in_use,
}


# records that are held and rejected, and ten syncs in three days of which only the first read prospects, with gaps
MESS = """
insert into held_opportunities (external_contact_id, state, known_created_local, external_created_local)
values ('1', 'held', '2026-01-01', '2026-01-02');
insert into rejected_records (missing, contact_key, last_rejected_at)
select ['phone'], '1', max(started_at) from sync_runs;
update sync_runs set readings = 0 where feed = 'prospects';
insert into sync_runs by name
select
    n - 20 as sync_id, 'sync' as kind, true as watermark_moved, 'read' as outcome, feed,
    if(feed = 'leads' or n = 0, 1, 0) as readings,
    timestamptz '2026-02-27 17:00Z' + n * interval 6 hours as started_at,
    started_at as ended_at, started_at as window_from, started_at as window_to
from range(10) as numbers (n) cross join unnest(['leads', 'prospects']) as feeds (feed)
"""


@pytest.fixture(scope="module")
def bad_day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """All that one run says in which nearly everything is wrong: its warnings, its failures and its checks."""
    with an_account(tmp_path_factory.mktemp("bad_day")) as account:
        yield "\n".join(_said_by(account))


def _said_by(account: Account) -> Iterator[str]:
    for cst_id in ("1", "2", "3"):
        account.lp.put(person(account, cst_id, account.wall(minutes=1), lastchanged=account.wall(hours=-3)))
    warnings: list[str] = []
    account.lp.fault("answer", path="GetLead", body=json.dumps([prospect("9"), 3]))
    account.read(warnings=warnings)
    account.later(hours=-1)
    account.read("prospects", warnings=warnings)
    account.later(hours=1)
    with account.connections() as connections:
        assert connections.warehouse
        connections.deadline = time.monotonic()
        read_feed(connections, "leads", warn=warnings.append, info=print)
    account.ask(MESS)
    account.outbox.keep("stopped:note", "Check LP_EMPLOYEE_ID.")
    account.with_hatch()
    account.environ |= {"LP_PASSWORD": "wrong", "HATCH_API_KEY": "wrong"}
    found = build_definitions(account.load, pace=PACE).resolve_job_def("sync")
    with dg.DagsterInstance.ephemeral() as instance:
        result = found.execute_in_process(instance=instance, raise_on_error=False)
    yield from (*warnings, *failures(result))
    yield from _problems(DeliveryOutcome(refused={"422 /email": 3}))
    for check in result.get_asset_check_evaluations():
        if not check.passed:
            yield f"check {check.check_name}: {check.description}"


# what a test of its own shows, because it blocks its run, or needs many syncs
ELSEWHERE = {"batch_has_prospect_ids", "report_is_current"}


def each_message() -> list[Any]:
    """What needs a whole run is a slow test."""
    slow = pytest.mark.slow
    return [one if one in {*PRODUCERS, *ELSEWHERE} else pytest.param(one, marks=slow) for one in messages()]


@pytest.mark.parametrize("message", each_message())
def test_each_message_is_what_the_program_says(message: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Issue 11: nobody looks in vain for what they see, and none is listed that the program no longer says."""
    if message in ELSEWHERE:
        assert message in CHECKS
        return
    text = PRODUCERS[message](tmp_path) if message in PRODUCERS else request.getfixturevalue("bad_day")
    wanted = f"check {message}: " if message in CHECKS else message
    pattern = ".*".join(map(re.escape, wanted.split("…")))
    assert re.search(pattern, text, re.DOTALL if message in PRODUCERS else 0), text


def test_no_producer_is_left_over() -> None:
    """A message that is no longer listed needs none."""
    assert PRODUCERS.keys() <= set(messages())
