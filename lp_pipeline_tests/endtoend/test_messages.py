"""What a person reads when something is not right: one message that says what to do, and no secret in it."""

import os
import re
import signal
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import dagster as dg
import pytest

from lp_pipeline.errors import SettingsError
from lp_pipeline.insight.health import health, usable
from lp_pipeline.orchestration.build import build_definitions
from lp_pipeline.orchestration.failures import INTERRUPTED
from lp_pipeline.settings import FIRST, HATCH_SETTINGS, LAST, REPOSITORY, Settings, load_settings
from lp_pipeline.transform.merge import KEY_TWICE
from lp_pipeline_tests.account import PACE, Account, failures, shown_errors
from lp_pipeline_tests.scenario import LIVE, prospect


def wrong_password(account: Account) -> None:
    account.environ["LP_PASSWORD"] = "wrong-secret"


def missing_setting(account: Account) -> None:
    account.environ.pop("LP_APP_KEY")


def missing_permission(account: Account) -> None:
    account.lp.switch(permissions=["AddNotes"])


def unreachable(account: Account) -> None:
    account.environ["LP_API_URL"] = "http://127.0.0.1:9"


def html(account: Account) -> None:
    account.lp.fault("html", times=100, path="/api/")


def broken_json(account: Account) -> None:
    account.lp.put({"cst_id": "1", "lastchanged": account.wall(minutes=5), "dateadded": account.wall(minutes=5)})
    account.lp.fault("broken_json", times=100, path="GetProspectData")
    account.lp.fault("broken_json", times=100, path="GetLead")


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (wrong_password, "LP_PASSWORD"),
        (missing_setting, "LP_APP_KEY"),
        (missing_permission, "Function Level Security"),
        pytest.param(unreachable, "LP_API_URL", marks=pytest.mark.slow),
        (html, "not JSON"),
        pytest.param(broken_json, "not JSON", marks=pytest.mark.slow),
    ],
)
def test_each_failure_has_one_message_that_says_what_to_do(
    lp_account: Account, failure: Callable[[Account], None], expected: str
) -> None:
    """R3, R4: the run ends with one message; a second feed only points back to it; nothing is half-written."""
    failure(lp_account)
    result = lp_account.run()
    assert not result.success
    messages = failures(result)
    assert expected in messages[0]
    assert all("same reason" in message or "earlier error in this run" in message for message in messages[1:])
    assert shown_errors(result.all_events) == list(dict.fromkeys(messages))  # no stack trace around them
    found = health(*usable(lp_account.load))
    assert (found.verdict.state, expected in found.verdict.why) == ("FAILING", True)  # E7: the status says the same
    text = " ".join([*messages, *(event.message or "" for event in result.all_events)])
    for secret in ("wrong-secret", "sandbox;", "Bearer"):
        assert secret not in text
    if lp_account.folder.exists() and failure is not missing_setting:
        assert lp_account.ask("select count(*) from opportunities") == [(0,)]


def test_a_check_that_blocks_fails_its_run_with_what_it_found(lp_account: Account) -> None:
    """R3: not with Dagster's error about a check, which says neither what is wrong nor what to do; nothing is
    published."""
    lp_account.lp.put(prospect("1", lastchanged=lp_account.wall(minutes=5)))
    lp_account.sync()
    lp_account.ask("insert into opportunities from opportunities")
    result = lp_account.run()
    assert failures(result) == shown_errors(result.all_events) == [KEY_TWICE]
    assert not (lp_account.folder / "published.duckdb").exists()


@pytest.mark.parametrize(
    "job", ["sync", *(pytest.param(job, marks=pytest.mark.slow) for job in ("push_communications", "sweep"))]
)
def test_an_interruption_is_one_line(lp_account: Account, job: str) -> None:
    """R1, R3: by Ctrl-C, or "Terminate" in the UI, which is the same signal: what it means, without a stack trace."""
    lp_account.environ["PUSH_SINCE"] = "2026-02-01T00:00:00Z"
    lp_account.lp.put(prospect("1", lastchanged=lp_account.wall(minutes=5)))
    lp_account.run()
    lp_account.later()
    now = lp_account.now.isoformat()
    lp_account.land({"id": "c1", "external_contact_id": "1", "category": "sms", "body": "Hi", "occurred_at": now})

    def interrupt(_path: str, _fields: Any) -> None:
        lp_account.lp.before_request = None
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.5)

    lp_account.lp.before_request = interrupt
    found = build_definitions(lp_account.load, pace=PACE).resolve_job_def(job)
    with dg.DagsterInstance.ephemeral() as instance:
        result = found.execute_in_process(instance=instance, raise_on_error=False)
    assert not result.success
    assert shown_errors(result.all_events) == [INTERRUPTED]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"LP_PASSWORD": ""}, "LP_PASSWORD"),
        ({"LP_TIMEZONE": ""}, "LP_TIMEZONE"),
        ({"LP_TIMEZONE": "EST5"}, "LP_TIMEZONE"),
        ({"LP_API_URL": "http://lp.example"}, "https"),
        ({"LP_API_URL": "https://user:pw@lp.example"}, "LP_API_URL"),
        ({"LP_API_URL": "lp.example"}, "LP_API_URL"),
        ({"LP_PAGE_SIZE": "many"}, "LP_PAGE_SIZE"),
        ({"LP_PAGING": "offset"}, "LP_PAGING"),
        ({"LP_IGNORE_FIELDS": "lead.source"}, "LP_IGNORE_FIELDS"),
        ({"LP_PIPELINE_NOW": "2026-03-02T10:00:00"}, "LP_PIPELINE_NOW"),
        ({"LP_PIPELINE_NOW": "0001-01-01T00:00:00+14:00"}, "LP_PIPELINE_NOW: must be between the years 1970 and 2199"),
        ({"LP_PIPELINE_NOW": "9999-12-31T23:59:59-12:00"}, "LP_PIPELINE_NOW: must be between the years 1970 and 2199"),
        ({"LP_SWEEP_ACTIVE_DAYS": "9999999999"}, "LP_SWEEP_ACTIVE_DAYS"),
        ({"PUSH_DOUBT_SECONDS": "inf"}, "PUSH_DOUBT_SECONDS"),
        ({"HATCH_EXPORT_MINUTES": "1e300"}, "HATCH_EXPORT_MINUTES"),
        ({"LP_API_URL": "", "LP_PIPELINE_SANDBOX": "false"}, "LP_API_URL"),
        ({"LP_API_URL": ""}, "LP_CLIENT_ID, LP_USERNAME, LP_PASSWORD, LP_APP_KEY"),
        ({**dict.fromkeys(LIVE, ""), "HATCH_API_KEY": "key-of-somebody"}, "HATCH_API_KEY"),
    ],
)
def test_a_setting_that_is_wrong_is_named(change: dict[str, str], named: str) -> None:
    """Settings: an error names the setting and never shows a value that could be a secret."""
    with pytest.raises(SettingsError, match=named) as caught:
        load_settings({**LIVE, **change})
    for value in (*LIVE.values(), "key-of-somebody", "user:pw"):
        assert value == "America/New_York" or value not in str(caught.value)


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Auckland"])
def test_an_instant_beyond_the_calendar_is_its_first_or_last_one(zone: str) -> None:
    """Settings: `PUSH_SINCE` may mean everything or nothing, and so may `--since`; J4's years are the calendar."""
    for since, kept in (("0001-01-01T00:00:00+14:00", FIRST), ("9999-12-31T23:59:59-12:00", LAST)):
        settings = load_settings({**LIVE, "LP_TIMEZONE": zone, "PUSH_SINCE": since})
        assert settings.push_since == kept
    assert settings.instant_of(datetime(1, 1, 1)) == FIRST
    assert settings.instant_of(datetime(9999, 12, 31, 23, 59, 59)) == LAST
    noon = datetime(2026, 3, 2, 12)
    assert settings.instant_of(noon) == noon.replace(tzinfo=settings.zone)


def test_settings_hide_their_secrets() -> None:
    """R4: a Settings object may be printed."""
    shown = repr(load_settings(LIVE))
    assert LIVE["LP_PASSWORD"] not in shown
    assert LIVE["LP_APP_KEY"] not in shown


def test_without_an_address_it_is_the_sandbox() -> None:
    """The sandbox has its own account, pace and folder, and no credential of a real one reaches it."""
    settings = load_settings({"LP_RATE_PER_MINUTE": "50", "LP_TIMEZONE": "America/Denver"})
    assert settings.lp_password.get_secret_value() == "sandbox"
    assert settings.lp_rate_per_minute > 1000
    assert settings.lp_timezone == "America/Denver"
    assert settings.data.parts[-2:] == ("data", "sandbox")


def test_every_setting_is_documented() -> None:
    """Settings: each is in lp_pipeline.env.example, and what is there is a setting."""
    documented = set(re.findall(r"^([A-Z_]+)=", (REPOSITORY / "lp_pipeline.env.example").read_text(), re.MULTILINE))
    known = {str(field.alias) for field in Settings.model_fields.values()}
    assert documented == known | set(HATCH_SETTINGS)
