"""SPEC E2: `doctor` says of each part of the setup that it is good, or what to do."""

import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lp_pipeline.insight.doctor import STEPS, examine
from lp_pipeline.insight.examination import Check
from lp_pipeline.runs.reports import DeliveryOutcome, ExportOutcome, PushOutcome, keep
from lp_pipeline.settings import Settings, load_settings
from lp_pipeline.storage.locks import Turn
from lp_pipeline.storage.outbox import OUTBOX_VERSION
from lp_pipeline.storage.warehouse import SCHEMA_VERSION
from lp_pipeline_tests.account import PACE, Account, account
from lp_pipeline_tests.communications.inbox_process import SECRET
from lp_pipeline_tests.runs.past import person

UNLOCK = "Security → User Access → (user) → Assign → Function Level Security → APISecurity → Check All → Save"


@pytest.fixture
def changed(lp_account: Account) -> Account:
    """An account in which somebody changed a lead a minute ago."""
    lp_account.lp.put(person(lp_account, "1"))
    return lp_account


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that nobody listens on, nor can in the meantime."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def checks(account: Account, load: Callable[[], Settings] | None = None, **environ: str) -> dict[str, Check]:
    """Each check by its name."""
    account.environ |= environ
    return {each.name: each for each in examine(load or account.load, pace=PACE)}


def states(found: dict[str, Check]) -> dict[str, list[str]]:
    """The names of the checks by state."""
    return {state: [name for name, each in found.items() if each.state == state] for state in ("fail", "not checked")}


def writes(account: Account) -> list[str]:
    """The calls that were made and do not read."""
    reads = ("/token", "GetLead", "GetProspectData")
    return [path for path, _ in account.lp.requests if not path.endswith(reads)]


def test_all_is_good_on_a_new_account(changed: Account) -> None:
    """Every check is made in its order, nothing needs to be done, and LeadPerfection and Hatch were only read."""
    found = checks(changed)
    assert list(found) == [step.name for step in STEPS]
    assert states(found) == {"fail": [], "not checked": ["Files", "Clock", "Hatch", "Communications", "Alerts"]}
    assert found["Sign-in"].found.startswith('user "sandbox" at http://127.0.0.1:')
    assert "token good for 24 h" in found["Sign-in"].found
    assert found["Permissions"].found == "may call GetLead, GetProspectData, AddNotes"
    assert found["Time zone"].found == "America/New_York fits: the newest change is stamped 1 min ago"
    assert writes(changed) == []
    assert not changed.outbox.path.exists()


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account that was synced on two days, delivered to Hatch and published; no test changes it."""
    with account(tmp_path_factory.mktemp("grown")) as opened:
        opened.with_hatch()
        for cst_id in ("1", "2"):
            opened.later(days=2)
            opened.lp.put(person(opened, cst_id))
            opened.sync()
        opened.deliver()
        opened.publish()
        yield opened


def settings_of(account: Account, **environ: str) -> Callable[[], Settings]:
    """Its settings, with changes for one test."""
    return partial(load_settings, {"LP_PIPELINE_NOW": account.now.isoformat(), **account.environ, **environ})


def test_a_folder_with_data_is_looked_at_without_changing_it(grown: Account) -> None:
    """After a sync its files are opened; a file that a run holds just now is left alone."""
    before = {path: path.stat().st_mtime_ns for path in grown.folder.glob("*.duckdb")}
    sent = len(grown.lp.hatch_writes())
    found = checks(grown)
    assert states(found)["fail"] == []
    versions = f"work.duckdb (version {SCHEMA_VERSION}), outbox.sqlite (version {OUTBOX_VERSION})"
    assert found["Files"].found == f"{versions}, published.duckdb: good"
    assert "grows by about" in found["Data folder"].found
    assert (found["Hatch"].state, "took the last delivery 0 s ago" in found["Hatch"].found) == ("ok", True)
    with Turn(grown.folder):
        assert "work.duckdb (in use by a run, not opened)" in checks(grown)["Files"].found
    assert {path: path.stat().st_mtime_ns for path in grown.folder.glob("*.duckdb")} == before
    assert len(grown.lp.hatch_writes()) == sent == 2


def test_times_of_another_zone_are_a_problem_of_the_files(grown: Account) -> None:
    """J5: with the command that recomputes them."""
    found = checks(grown, settings_of(grown, LP_TIMEZONE="America/Halifax"))["Files"]
    assert (found.state, "lp-pipeline rezone" in found.advice) == ("fail", True)


def test_another_accounts_folder_is_refused_before_anybody_is_asked(grown: Account) -> None:
    """J5: LeadPerfection gets no credentials, for they may be the wrong ones."""
    asked = len(grown.lp.requests)
    found = checks(grown, settings_of(grown, LP_CLIENT_ID="someone-else"))
    assert states(found)["fail"] == ["Data folder"]
    assert "LP_PIPELINE_DATA" in found["Data folder"].advice
    assert len(grown.lp.requests) == asked


REFUSALS: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "sign-in refused": (
        {"refuse_sign_in": True},
        "Sign-in",
        "refused the sign-in",
        "Check LP_CLIENT_ID, LP_USERNAME, LP_PASSWORD and LP_APP_KEY",
    ),
    "reading not permitted": (
        {"permissions": ["GetLead", "AddNotes"]},
        "Permissions",
        "LeadPerfection refuses GetProspectData to this user",
        UNLOCK,
    ),
    "writing not listed": (
        {"permissions": ["GetLead", "GetProspectData"]},
        "Permissions",
        "AddNotes: not among the functions that LeadPerfection lists",
        UNLOCK,
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_leadperfection_refuses_is_named_with_what_to_do(changed: Account, case: str) -> None:
    """One thing fails, with its advice; what depends on it is not checked."""
    switches, name, what, advice = REFUSALS[case]
    changed.lp.switch(**switches)
    found = checks(changed)
    assert states(found)["fail"] == [name]
    assert what in found[name].found
    assert advice in found[name].advice
    if name == "Sign-in":
        assert set(states(found)["not checked"]) >= {"Permissions", "Clock", "Lead feed", "Time zone", "Pushes"}
    if "GetProspectData" in what:
        assert found["Prospect feed"].found == "not checked"
        assert found["Lead feed"].state == "ok"


def test_where_leadperfection_lists_no_functions_the_first_push_shows(changed: Account) -> None:
    """Contract 1: the list is optional. Reading was tried, so that is known all the same."""
    changed.lp.switch(user_data=False)
    assert checks(changed)["Permissions"].found == (
        "may call GetLead, GetProspectData; whether AddNotes is permitted, the first push shows"
    )


def test_an_unreachable_leadperfection_fails_alone(changed: Account, closed_port: int) -> None:
    """Hatch and the files are checked all the same."""
    found = checks(changed, LP_API_URL=f"http://127.0.0.1:{closed_port}")
    assert states(found)["fail"] == ["Sign-in"]
    assert f"could not be reached at http://127.0.0.1:{closed_port}" in found["Sign-in"].found
    assert "LP_API_URL" in found["Sign-in"].advice
    assert found["Communications"].found.startswith("off")


@pytest.mark.parametrize(
    ("zone", "state", "says"),
    [
        ("America/New_York", "ok", "fits"),
        ("America/Chicago", "fail", "Set LP_TIMEZONE to America/New_York"),
        ("America/Los_Angeles", "fail", "Set LP_TIMEZONE to America/New_York"),
        ("America/Halifax", "not checked", "too old to prove it"),
    ],
)
def test_a_wrong_zone_is_found_by_the_newest_stamp(tmp_path: Path, zone: str, state: str, says: str) -> None:
    """J5: a stamp ahead of the zone's clock is proof, with the zone that fits; an old one proves nothing."""
    with account(tmp_path) as opened:
        opened.lp.put(person(opened, "1"))
        found = checks(opened, LP_TIMEZONE=zone)["Time zone"]
        assert (found.state, says in found.found + found.advice) == (state, True), found


@pytest.mark.parametrize(("skew", "state"), [(-20, "ok"), (-600, "fail"), (600, "fail")])
def test_clocks_are_compared(changed: Account, skew: int, state: str) -> None:
    """By the Date of LeadPerfection's answers; seconds are harmless."""
    changed.now = datetime.now(UTC)
    changed.lp.switch(clock_skew_seconds=skew)
    found = checks(changed, partial(load_settings, changed.environ))["Clock"]
    assert found.state == state
    assert ("behind" if skew < 0 else "ahead of") in found.found


def test_call_logs_need_their_codes(changed: Account) -> None:
    """C8: what is on needs its settings, and they are named; the employee id may come from the sign-in."""
    changed.environ.pop("LP_CALL_TYPE")
    found = checks(changed, PUSH_TO_CALL_LOGS="true", LP_RESULT_CODE="text=LM")["Pushes"]
    assert found.found == "call logs are on without LP_CALL_TYPE and LP_RESULT_CODE (for call, email)"
    found = checks(changed, LP_CALL_TYPE="O", LP_RESULT_CODE="LM")["Pushes"]
    assert found.found.endswith("employee 64 (from the sign-in), codes set")


@pytest.mark.parametrize(
    ("outcome", "name"),
    [
        (DeliveryOutcome(stopped="Hatch refuses the key (HTTP 401)."), "Hatch"),
        (ExportOutcome(unavailable="Hatch could not be reached."), "Communications"),
        (PushOutcome(errors=["Five refusals in a row."]), "Pushes"),
    ],
)
def test_what_stopped_the_last_run_is_repeated(changed: Account, outcome: Any, name: str) -> None:
    """What can't be tried without sending is judged by what happened last."""
    changed.with_hatch()
    keep(changed.outbox, outcome)
    found = checks(changed)
    assert states(found)["fail"] == [name]
    message = getattr(outcome, "stopped", None) or getattr(outcome, "unavailable", None) or outcome.errors[0]
    assert found[name].advice == message


def test_hatch_is_not_written_to(changed: Account, closed_port: int) -> None:
    """Before the first delivery nothing is known of key and source, except whether Hatch is there."""
    changed.with_hatch()
    found = checks(changed)["Hatch"]
    assert (found.state, "first delivery shows it" in found.found) == ("not checked", True)
    assert changed.lp.hatch_writes() == []
    found = checks(changed, HATCH_API_URL=f"http://127.0.0.1:{closed_port}")["Hatch"]
    assert (found.state, "could not be reached" in found.found) == ("fail", True)


def test_an_inbox_needs_a_secret_and_somebody_who_listens(changed: Account, closed_port: int) -> None:
    """C2: both are said, with the command."""
    changed.environ["COMMUNICATIONS_FROM"] = "inbox"
    assert "openssl rand -hex 32" in checks(changed)["Communications"].advice
    changed.environ["INBOX_SECRET"] = SECRET
    found = {each.name: each for each in examine(changed.load, pace=PACE, inbox_port=closed_port)}["Communications"]
    assert (found.state, "lp-pipeline inbox" in found.advice) == ("fail", True)


def test_where_alerts_go_is_said_without_the_secret_address(changed: Account) -> None:
    """R4: a webhook's path is its key, so only hosts are shown."""
    changed.environ["ALERT_WEBHOOK_URL"] = "https://hooks.example/T0/secret"
    found = checks(changed, HEARTBEAT_URL="https://beat.example/secret")["Alerts"]
    assert (found.state, found.found) == ("ok", "to hooks.example, heartbeat to beat.example")


@pytest.fixture
def settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A settings file that is in use, and an environment without ours."""
    path = tmp_path / "lp_pipeline.env"
    path.touch(mode=0o600)
    monkeypatch.setenv("LP_PIPELINE_SETTINGS", str(path))
    monkeypatch.delenv("LP_PIPELINE_DATA", raising=False)
    return path


def test_a_settings_file_that_others_can_read_is_a_problem(changed: Account, settings_file: Path) -> None:
    """It holds passwords. For its owner alone it is good, and its values are counted."""
    settings_file.write_text("\n".join(f"{name}={value}" for name, value in changed.environ.items()))
    found = checks(changed, load_settings)["Settings"]
    assert found.state == "ok"
    assert f"{len(changed.environ)} values, readable by you only" in found.found
    settings_file.chmod(0o640)
    found = checks(changed, load_settings)["Settings"]
    assert (found.state, found.advice.startswith("Run:  chmod 600 ")) == ("fail", True)


def test_wrong_settings_leave_nothing_to_check(changed: Account, settings_file: Path) -> None:
    """Their message is the one thing to do; LeadPerfection is not asked."""
    settings_file.write_text("LP_API_URL=https://api.example.test\n")
    found = checks(changed, load_settings)
    assert states(found)["fail"] == ["Settings"]
    assert "LP_PASSWORD" in found["Settings"].found + found["Settings"].advice
    assert [each.found for each in list(found.values())[1:]] == ["not checked"] * (len(STEPS) - 1)
    assert changed.lp.requests == []


def test_a_damaged_file_is_named_with_the_way_back(changed: Account) -> None:
    """The other files, and LeadPerfection, are checked all the same."""
    changed.folder.mkdir()
    (changed.folder / "work.duckdb").write_bytes(b"not a database" * 1000)
    found = checks(changed)
    assert states(found)["fail"] == ["Files"]
    assert "backup" in found["Files"].found + found["Files"].advice


def test_a_folder_that_cannot_be_is_said(changed: Account, tmp_path: Path) -> None:
    """A file where the folder belongs."""
    (tmp_path / "a file").touch()
    found = checks(changed, LP_PIPELINE_DATA=str(tmp_path / "a file" / "data"))
    assert states(found)["fail"] == ["Data folder"]
    assert "LP_PIPELINE_DATA" in found["Data folder"].advice
    assert found["Sign-in"].found == "not checked"
