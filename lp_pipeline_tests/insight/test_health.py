"""The verdict on an account (SPEC E7), and the facts under it."""

from pathlib import Path

import pytest

from lp_pipeline.errors import SettingsError
from lp_pipeline.insight.health import Health, health, usable
from lp_pipeline.runs.journal import Ending, Kind, Outcome, recorded
from lp_pipeline.settings import load_settings
from lp_pipeline.storage.outbox import run
from lp_pipeline_tests.account import Account
from lp_pipeline_tests.scenario import LIVE

NOTE = {"external_contact_id": "1", "category": "sms", "body": "Hi"}


def end(account: Account, outcome: Outcome, message: str | None = None, kind: Kind = "sync") -> None:
    """One run that does nothing and ends like this."""
    with account.connections() as connections, recorded(connections, kind, lambda: Ending(outcome, message)):
        pass


def look(account: Account) -> Health:
    """What is known; finding it out changes no file."""
    before = contents(account.folder)
    found = health(*usable(account.load))
    assert contents(account.folder) == before
    return found


def contents(folder: Path) -> dict[Path, bytes]:
    """Of all files but SQLite's shared memory."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".sqlite-shm"}


def land(account: Account, identity: str = "c1") -> None:
    """A communication that waits to be pushed."""
    account.land({"id": identity, "occurred_at": account.now.isoformat(), **NOTE})


def test_a_new_folder_says_what_to_run(lp_account: Account) -> None:
    """E7: nothing is made by looking, not even the folder."""
    verdict = look(lp_account).verdict
    assert (verdict.state, "lp-pipeline sync" in verdict.action) == ("LATE", True)
    assert not lp_account.folder.exists()


def test_an_account_is_ok_then_late_then_failing(lp_account: Account) -> None:
    """E7: by the time of the last good sync, as set; a clock that was wrong makes it late, too; a run of another kind
    does not help."""
    end(lp_account, "good")
    good = lp_account.now
    assert look(lp_account).verdict.state == "OK"
    states = []
    for _ in range(5):
        lp_account.later()
        end(lp_account, "good", kind="push")
        states.append(look(lp_account).verdict.state)
    assert states == ["OK", "OK", "LATE", "LATE", "FAILING"]
    assert look(lp_account).verdict.since == good
    lp_account.environ |= {"ALERT_LATE_MINUTES": "80", "ALERT_FAILING_MINUTES": "90"}
    assert look(lp_account).verdict.state == "OK"
    lp_account.later(days=-1)
    assert look(lp_account).verdict.state == "FAILING"


def test_a_failing_sync_says_why_and_since_when(lp_account: Account) -> None:
    """E7: from the first failure to the next good sync, whatever else ends well."""
    end(lp_account, "good")
    first = lp_account.later()
    end(lp_account, "failed", "LeadPerfection refuses the sign-in.")
    lp_account.later()
    end(lp_account, "failed", "LeadPerfection refuses the sign-in.")
    end(lp_account, "good", kind="push")
    verdict = look(lp_account).verdict
    assert (verdict.state, verdict.why, verdict.since, verdict.failures) == (
        *("FAILING", "LeadPerfection refuses the sign-in.", first),
        2,
    )
    end(lp_account, "good")
    assert look(lp_account).verdict.state == "OK"


def test_a_push_that_fails_counts_as_long_as_something_waits_for_it(lp_account: Account) -> None:
    """E7: or a target that was switched off after a failure would be wrong for ever."""
    end(lp_account, "good")
    end(lp_account, "failed", "Another folder pushes.", kind="push")
    assert look(lp_account).verdict.state == "OK"
    land(lp_account)
    assert look(lp_account).verdict.why == "Another folder pushes."
    lp_account.environ["PUSH_COMMUNICATIONS"] = "false"
    assert look(lp_account).verdict.state == "OK"


def test_a_stopped_target_counts_as_long_as_it_is_on_and_something_waits(lp_account: Account) -> None:
    """E7, C8: the reason names the setting; who switches the target off has decided."""
    lp_account.environ["PUSH_TO_CALL_LOGS"] = "true"
    end(lp_account, "good")
    land(lp_account)
    with lp_account.outbox.transaction() as connection:
        row = "insert into communication_pushes (communication_id, target, state, updated_at, first_seen_at) values "
        connection.execute(f"{row} ('c1', 'call_log', 'pending', '', ''), ('c1', 'note', 'sent', '9', '')")
        run(connection, "keep_fact", {"name": "stopped:call_log", "value": "Check LP_CALL_TYPE."})
    found = look(lp_account)
    assert (found.verdict.state, found.verdict.why) == ("FAILING", "Check LP_CALL_TYPE.")
    assert (found.hatch.stopped, found.hatch.pushes_waiting) == ({"call_log": "Check LP_CALL_TYPE."}, 1)
    assert found.hatch.pushed_today == {"note": 1}
    lp_account.environ["PUSH_TO_CALL_LOGS"] = "false"
    assert look(lp_account).verdict.state == "OK"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"LP_PAGE_SIZE": "many"}, "LP_PAGE_SIZE"),
        ({"LP_PASSWORD": ""}, "LP_PASSWORD"),
        ({"LP_TIMEZONE": "EST", "HATCH_API_KEY": "key-of-somebody"}, "LP_TIMEZONE"),
        ({"ALERT_WEBHOOK_URL": "http://hooks.example/not-for-logs"}, "ALERT_WEBHOOK_URL: must start with https"),
        ({"HEARTBEAT_URL": "https://me:not-for-logs@example.com/"}, "HEARTBEAT_URL"),
    ],
)
def test_wrong_settings_are_the_verdict(tmp_path: Path, change: dict[str, str], named: str) -> None:
    """E7: by what can be used of them, so that somebody can be told; none of their values is shown (R4)."""
    found = health(*usable(lambda: load_settings({**LIVE, "LP_PIPELINE_DATA": str(tmp_path), **change})))
    assert (found.verdict.state, found.account) == ("FAILING", "acme")
    assert named in found.verdict.why
    assert not any(secret in found.verdict.why for secret in ("not-for-logs", "key-of-somebody", "not-a-real"))


def test_settings_that_do_not_even_name_the_folder_are_an_error() -> None:
    """E7: there is nothing to be said about an unknown folder."""
    with pytest.raises(SettingsError, match="LP_PIPELINE_DATA"):
        usable(lambda: load_settings({**LIVE, "LP_PIPELINE_DATA": "~nobody-of-this-name/data"}))


def test_files_that_are_not_ours_are_the_verdict(lp_account: Account) -> None:
    """E7: a damaged outbox, one of a newer program, another account's folder; one of an older program is upgraded by
    the next run."""
    end(lp_account, "good")
    lp_account.outbox.keep("account", '["https://other.example", "other"]')
    assert "another LeadPerfection account" in look(lp_account).verdict.why
    with lp_account.outbox.transaction() as connection:
        connection.execute("pragma user_version = 99")
    assert "newer lp_pipeline" in look(lp_account).verdict.why
    with lp_account.outbox.transaction() as connection:
        connection.execute("pragma user_version = 1")
    assert look(lp_account).verdict.state == "OK"
    lp_account.outbox.close()
    (lp_account.folder / "outbox.sqlite").write_text("something else entirely, but no database at all" * 50)
    verdict = look(lp_account).verdict
    assert (verdict.state, "the file is damaged" in verdict.why) == ("FAILING", True)
