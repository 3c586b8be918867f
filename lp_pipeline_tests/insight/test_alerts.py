"""Alerts and the heartbeat (SPEC N1), sent to a real listener on loopback."""

import logging
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from click.testing import CliRunner

from lp_pipeline.cli.main import main
from lp_pipeline.insight.alert_state import Alerts, alerts_file
from lp_pipeline.insight.alerts import after_run, check
from lp_pipeline.insight.health import health
from lp_pipeline.runs.journal import Ending, Kind, Outcome, recorded
from lp_pipeline.storage.account import make_folder
from lp_pipeline.storage.locks import Turn
from lp_pipeline_tests.account import Account
from lp_pipeline_tests.insight.listener import SECRET, Listener, listening
from lp_pipeline_tests.scenario import with_empty_warehouse
from lp_pipeline_tests.storage.disks import small_disk

PUSHES = "insert or replace into communication_pushes (communication_id, target, state, updated_at, first_seen_at)"
REFUSAL = (
    "insert or replace into hatch_deliveries values ('1', '', '', ?, '', '', '', '', '', 422, '/email', '', '', 1, ?)"
)


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A listener on loopback."""
    with listening() as found:
        yield found


@pytest.fixture
def alerted(lp_account: Account, listener: Listener) -> Account:
    """An account after a good sync, whose alerts go to the listener."""
    lp_account.environ |= listener.settings
    end(lp_account, "good")
    listener.paths.clear()
    return lp_account


def end(account: Account, outcome: Outcome, message: str | None = None, kind: Kind = "sync", sql: str = "") -> None:
    """One run that ends like this, with what it does in the warehouse, and what follows its end."""
    ending = Ending(outcome, message)
    with account.connections() as connections, recorded(connections, kind, lambda: ending):
        if sql:
            with connections.warehouse.connection() as connection:
                connection.execute(sql)
    after_run(account.load, kind, ending)


@contextmanager
def failing(account: Account, kind: Kind) -> Iterator[None]:
    account.later()
    if kind == "push":
        land(account)
    end(account, "failed", "Refused <b> & sent back.", kind)
    end(account, "failed", "Refused <b> & sent back.", kind)
    yield
    end(account, "good", kind=kind)


@contextmanager
def late(account: Account, _: Kind) -> Iterator[None]:
    account.later(minutes=31)
    check(account.load)
    yield
    end(account, "good")


@contextmanager
def facts(account: Account, begin: str, finish: str) -> Iterator[None]:
    end(account, "good", sql=begin)
    yield
    end(account, "good", sql=finish)


@contextmanager
def ledger(account: Account, begin: str, finish: str) -> Iterator[None]:
    for statement in (begin, finish):
        with account.outbox.transaction() as connection:
            connection.execute(statement, (account.now.isoformat(),) * statement.count("?"))
        check(account.load)
        if statement == begin:
            yield


def land(account: Account) -> None:
    account.land({"id": "c1", "occurred_at": account.now.isoformat(), "external_contact_id": "1", "body": "Hi"})


@contextmanager
def stopped(account: Account, _: str) -> Iterator[None]:
    account.environ["PUSH_TO_NOTES"] = "true"
    land(account)
    account.outbox.keep("stopped:note", "")
    with account.outbox.transaction() as connection:
        connection.execute(f"{PUSHES} values ('c1', 'note', 'pending', '', '')")
    account.outbox.keep("stopped:note", "Check LP_EMPLOYEE_ID.")
    end(account, "failed", "Check LP_EMPLOYEE_ID.", "push")
    yield
    account.outbox.keep("stopped:note", "")
    end(account, "good", kind="push")


HELD = "insert into held_opportunities (external_contact_id, state) values ('1', 'held'), ('2', 'held')"
REJECTED = (
    "insert into rejected_records (missing, contact_key, last_rejected_at) values (['phone'], '1', '2026-03-02 16:00Z')"
)
SITUATIONS: dict[str, tuple[Callable[..., Any], tuple[str, ...], str, str]] = {
    "sync": (failing, ("sync",), "syncs fail since 12:15 PM EST", "syncs work again since 12:15 PM EST (2 failed"),
    "late": (late, ("sync",), "no sync has ended well since 12:00 PM EST", "syncs end well again since 12:31 PM EST"),
    "push": (failing, ("push",), "pushes fail since 12:15 PM EST", "pushes work again"),
    "stopped": (stopped, ("",), "pushes to LeadPerfection are stopped", "pushes go through again"),
    "uncertain": (
        *(ledger, (f"{PUSHES} values ('c', 'note', 'uncertain', '', '')", "delete from communication_pushes")),
        *("1 message waits for a decision", "no message waits for a decision"),
    ),
    "held": (facts, (HELD, "delete from held_opportunities"), "2 opportunities are held", "no opportunity is held"),
    "rejected": (
        *(facts, (REJECTED, "delete from rejected_records")),
        *("many records are rejected", "hardly any record is rejected"),
    ),
    "refused": (
        *(ledger, (REFUSAL.replace("?", "'refused'", 1), REFUSAL.replace("?", "'delivered'", 1))),
        *("Hatch refused 1 record", "Hatch has refused nothing for a day"),
    ),
    "backfill": (failing, ("backfill",), "a backfill failed since 12:15 PM EST", "a backfill ended well"),
    "sweep": (failing, ("sweep",), "sweeps fail since 12:15 PM EST", "sweeps work again"),
}


def test_every_kind_has_its_test() -> None:
    """N1: none is left out."""
    assert set(SITUATIONS) == set(alerts_file.__globals__["IncidentKind"].__args__)


@pytest.mark.parametrize("kind", SITUATIONS)
def test_each_kind_is_announced_once_and_is_over_once(alerted: Account, listener: Listener, kind: str) -> None:
    """N1: however often it is checked, and whether Dagster's memory is lost or not; a sync that fails is not late
    besides, and a push that is stopped does not fail besides."""
    situation, given, opening, closing = SITUATIONS[kind]
    with situation(alerted, *given):
        for _ in range(2):
            assert check(alerted.load).problem is None
        (message,) = listener.messages
        assert message["text"].startswith(f"lp_pipeline sandbox: {opening}")
        assert (message["kind"], message["state"], message["account"]) == (kind, "open", "sandbox")
        assert message["why"]
        assert message["action"]
        assert [*alerts_file(alerted.load()).read().open] == [kind]
        listener.messages.clear()
    for _ in range(2):
        assert check(alerted.load).problem is None
    (message,) = listener.messages
    assert message["text"].startswith(f"lp_pipeline sandbox: {closing}")
    assert (message["kind"], message["state"]) == (kind, "over")
    assert alerts_file(alerted.load()).read().open == {}


def test_slack_gets_its_own_format(alerted: Account, listener: Listener) -> None:
    """N1: one text, its letters escaped as Slack wants it; three lines: what, why, what to do."""
    alerted.environ["ALERT_FORMAT"] = "slack"
    with failing(alerted, "sync"):
        (message,) = listener.messages
        assert list(message) == ["text"]
        lines = listener.texts()[0].splitlines()
        assert lines[0] == ":red_circle: lp_pipeline sandbox: syncs fail since 12:15 PM EST"
        assert lines[1] == "Refused &lt;b&gt; &amp; sent back."
        assert lines[2].startswith("Do: see `lp-pipeline doctor`.")
    assert listener.texts() == [
        ":large_green_circle: lp_pipeline sandbox: syncs work again since 12:15 PM EST (2 failed, all caught up)"
    ]


def test_a_webhook_that_is_down_harms_nothing(
    alerted: Account, listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    """N1, R4: runs end as they would, the status says why nothing arrives, the next check sends it; the address, which
    is a secret, is nowhere."""
    caplog.set_level(logging.DEBUG)
    listener.status = 404
    alerted.later()
    end(alerted, "failed", "No sign-in.")
    found = health(alerted.load())
    assert found.alerts
    assert "answered HTTP 404" in (found.alerts.problem or "")
    assert found.runs["sync"].failures == 1
    with socket.socket() as nobody:  # bound, but it does not listen
        nobody.bind(("127.0.0.1", 0))
        ours = alerted.environ["ALERT_WEBHOOK_URL"]
        alerted.environ["ALERT_WEBHOOK_URL"] = f"http://127.0.0.1:{nobody.getsockname()[1]}/{SECRET}"
        assert "can't be reached" in (check(alerted.load).problem or "")
    shown = [check(alerted.load), health(alerted.load()), alerts_file(alerted.load()).read(), caplog.text]
    assert SECRET not in repr(shown)
    listener.status = 200
    alerted.environ["ALERT_WEBHOOK_URL"] = ours
    assert listener.texts() == []
    assert len(check(alerted.load).sent) == 1
    assert len(listener.texts()) == 1
    found = health(alerted.load())
    assert found.alerts
    assert found.alerts.problem is None


def test_a_disk_that_is_full_from_the_start_is_announced_once(lp_account: Account, listener: Listener) -> None:
    """N1, E7: an account's folder comes with room for what is known of its runs and its alerts."""
    lp_account.environ |= listener.settings
    with small_disk(lp_account.folder) as disk:
        make_folder(lp_account.folder, "albany")
        with_empty_warehouse(lp_account.folder)
        disk.fill()
        for _ in range(2):
            end(lp_account, "failed", "The disk is full.")
        assert ["syncs fail since" in text for text in listener.texts()] == [True]
        disk.free()
        end(lp_account, "good")
        assert ["syncs work again" in text for text in listener.texts()] == [True]


def test_a_folder_that_cannot_be_written_is_announced_once(lp_account: Account, listener: Listener) -> None:
    """N1: as after a disk's error. The sensor's process keeps in mind what it has sent, as no file can; a process of
    one run, which would send it each time, says nothing."""
    with small_disk(lp_account.folder) as disk:
        lp_account.environ |= listener.settings
        end(lp_account, "good")
        lp_account.later(minutes=40)
        disk.writable(False)
        end(lp_account, "failed", "The folder cannot be written.")
        assert "cannot be written" in (check(lp_account.load).problem or "")
        assert listener.texts() == []
        assert len(check(lp_account.load, stays=True).sent) == 1
        assert check(lp_account.load, stays=True).sent == []
        assert ["no sync has ended well" in text for text in listener.texts()] == [True]
        disk.writable(True)
        assert check(lp_account.load, stays=True).sent == []
        assert check(lp_account.load).sent == []
        end(lp_account, "good")
        assert ["syncs end well again" in text for text in listener.texts()] == [True]


@pytest.mark.slow
def test_a_webhook_that_hangs_is_left_after_seconds(alerted: Account) -> None:
    """N1: and with it everything else that was to be sent; it holds no turn."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        alerted.environ["ALERT_WEBHOOK_URL"] = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        alerted.environ["HEARTBEAT_URL"] = ""
        end(alerted, "failed", "No sign-in.", "sweep")
        began = time.monotonic()
        end(alerted, "failed", "No sign-in.")
        assert time.monotonic() - began < 20
        assert not Turn(alerted.folder).is_taken()


def test_what_is_over_before_anybody_was_told_is_not_told(alerted: Account, listener: Listener) -> None:
    """N1: an all-clear for something that nobody has heard of is noise."""
    listener.status = 503
    end(alerted, "failed", "No sign-in.")
    end(alerted, "good")
    listener.status = 200
    assert check(alerted.load).sent == []
    assert listener.texts() == []


def test_late_is_not_over_because_a_sync_failed(alerted: Account, listener: Listener) -> None:
    """N1: only a good sync ends it; and both are then over, once."""
    alerted.later(minutes=40)
    check(alerted.load)
    end(alerted, "failed", "No sign-in.")
    assert [text.split(": ")[1].split(" since")[0] for text in listener.texts()] == [
        *("no sync has ended well", "syncs fail")
    ]
    end(alerted, "good")
    assert len(listener.texts()) == 2


def test_wrong_settings_are_reported_and_nothing_else_is_over(alerted: Account, listener: Listener) -> None:
    """N1: what can't be known is not over. Nobody has started a run, and yet it is known."""
    alerted.environ["LP_PAGE_SIZE"] = "many"
    check(alerted.load)
    (text,) = listener.texts()
    assert "syncs fail" in text
    alerted.environ["LP_PAGE_SIZE"] = "50"
    check(alerted.load)
    assert "syncs work again" in listener.texts()[0]
    with failing(alerted, "sweep"):
        alerted.outbox.close()
        path = alerted.outbox.path
        path.write_bytes(b"something else")
        listener.texts()
        check(alerted.load)
        (text,) = listener.texts()
        assert "syncs fail" in text
        path.unlink()
        assert "syncs work again" in check(alerted.load).sent[0]


def test_the_heartbeat_follows_each_good_sync_and_nothing_else(alerted: Account, listener: Listener) -> None:
    """N1: so that somebody outside learns when nothing runs any more; if it fails, the status says so."""
    end(alerted, "failed", "No sign-in.")
    end(alerted, "good", kind="push")
    end(alerted, "good")
    assert [path for path in listener.paths if "beat" in path] == [f"/beat/{SECRET}"]
    listener.status = 500
    end(alerted, "good")
    found = health(alerted.load())
    assert found.alerts
    assert "HEARTBEAT_URL answered HTTP 500" in (found.alerts.heartbeat_problem or "")


def test_without_an_address_nothing_is_kept(lp_account: Account) -> None:
    """N1: it is off until ALERT_WEBHOOK_URL is set."""
    end(lp_account, "failed", "No sign-in.")
    assert alerts_file(lp_account.load()).read() == Alerts()


def test_alert_test_tells_whether_a_message_gets_through(alerted: Account, listener: Listener) -> None:
    """N1: before it is needed."""

    def typed(**other: str) -> tuple[int, str]:
        result = CliRunner(env={**alerted.environ, **other}).invoke(main, ["alert-test"])
        assert SECRET not in result.output
        return result.exit_code, result.output

    assert typed() == (0, "ALERT_WEBHOOK_URL works.\nHEARTBEAT_URL works.\n")
    assert listener.texts() == ["lp_pipeline sandbox: this is a test, nothing is wrong"]
    listener.status = 403
    code, output = typed(HEARTBEAT_URL="")
    assert (code, "answered HTTP 403. Copy ALERT_WEBHOOK_URL again" in output) == (1, True)
    assert typed(HEARTBEAT_URL="", ALERT_WEBHOOK_URL="")[0] == 1
