"""How each run ended is known afterwards (SPEC E7), whatever ended it."""

import subprocess
import sys
from pathlib import Path
from shutil import disk_usage

import msgspec
import pytest

from lp_pipeline.errors import SettingsError, WarehouseError
from lp_pipeline.runs.connections import Connections
from lp_pipeline.runs.journal import KILLED, RUNNING, Ending, Kind, Outcome, Runs, read_journal, recorded
from lp_pipeline.runs.steps import read_feed
from lp_pipeline.settings import Settings, load_settings
from lp_pipeline.transform.merge import merge, stage
from lp_pipeline_tests.account import Account
from lp_pipeline_tests.scenario import LIVE, PATIENCE, lead, prospect
from lp_pipeline_tests.storage.disks import small_disk

SLEEPER = """
import sys, time
from lp_pipeline.runs.connections import Connections
from lp_pipeline.runs.journal import Ending, recorded
from lp_pipeline.settings import load_settings
with Connections("sleeper", lambda: load_settings({"LP_PIPELINE_DATA": sys.argv[1]})) as connections:
    with recorded(connections, "sync", lambda: Ending("good")):
        print("running", flush=True)
        time.sleep(600)
"""


def end(account: Account, outcome: Outcome, message: str | None = None, kind: Kind = "sync") -> Runs:
    """One run that does nothing and ends like this; what is known of its kind then."""
    with account.connections() as connections, recorded(connections, kind, lambda: Ending(outcome, message)):
        is_shown = read_journal(account.load()).running == {kind: account.now}
        assert is_shown or disk_usage(account.folder).free == 0
    journal = read_journal(account.load())
    assert journal.running == {}
    return journal.runs[kind]


def test_failures_are_counted_from_the_first_one_until_a_good_run(lp_account: Account) -> None:
    """E7: since when, how often and why the last time; an interrupted run is neither; other kinds have their own."""
    good = end(lp_account, "good").good_at
    first = lp_account.later()
    end(lp_account, "failed", "No sign-in.")
    lp_account.later()
    end(lp_account, "good", kind="push")
    runs = end(lp_account, "failed", "No permission.")
    assert (runs.failures, runs.failing_since, runs.good_at, runs.message) == (2, first, good, "No permission.")
    assert (end(lp_account, "interrupted").failures, runs.failing_since) == (2, first)
    lp_account.later()
    runs = end(lp_account, "good")
    assert (runs.failures, runs.failing_since, runs.good_at) == (0, None, lp_account.now)


def leave_mark(account: Account, name: str) -> None:
    """What a run leaves whose process was killed: its file, which nobody holds locked."""
    folder = account.folder / RUNNING
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f'{{"kind":"sync","began_at":"{account.now.isoformat()}"}}')


def test_a_run_that_never_ended_was_killed(lp_account: Account) -> None:
    """E7, R1: it counts as failed at once, and for good once the next run begins; one that was killed while it waited
    for a run that ended well does not count."""
    good = end(lp_account, "good")
    began = lp_account.later()
    leave_mark(lp_account, "a")
    killed = read_journal(lp_account.load()).runs["sync"]
    assert (killed.outcome, killed.message, killed.failures, killed.failing_since) == ("killed", KILLED, 1, began)
    assert killed.good_at == good.good_at
    lp_account.later()
    assert end(lp_account, "failed").failures == 2
    assert list((lp_account.folder / RUNNING).iterdir()) == []
    lp_account.later()
    leave_mark(lp_account, "b")
    lp_account.later()
    (lp_account.folder / RUNNING / "b").rename(lp_account.folder / "b")
    assert end(lp_account, "good").failures == 0
    (lp_account.folder / "b").rename(lp_account.folder / RUNNING / "b")
    assert read_journal(lp_account.load()).runs["sync"].outcome == "good"


@pytest.mark.slow
def test_a_killed_process_is_known_at_once(tmp_path: Path) -> None:
    """E7, R1: by the operating system, not by a clock."""
    settings = load_settings({"LP_PIPELINE_DATA": str(tmp_path)})
    command = [sys.executable, "-c", SLEEPER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "running\n"
            journal = read_journal(settings)
            assert list(journal.running) == ["sync"]
            assert journal.runs == {}
        finally:
            process.kill()
            process.wait(PATIENCE)
    journal = read_journal(settings)
    assert journal.running == {}
    assert journal.runs["sync"].outcome == "killed"


def test_a_run_leaves_the_facts_of_the_warehouse(lp_account: Account) -> None:
    """E7: what the last sync did, so that a status need not open work.duckdb; a run that opened none leaves them."""
    lp_account.lp.put(prospect("1", lead("10"), lastchanged=lp_account.wall(minutes=5)))
    with lp_account.connections() as connections, recorded(connections, "sync", lambda: Ending("good")):
        for feed in ("leads", "prospects"):
            read_feed(connections, feed, warn=print, info=print)
        stage(connections.warehouse, connections.settings)
        merge(connections.warehouse, connections.settings, connections.sync_id)
    facts = read_journal(lp_account.load()).facts
    assert facts
    assert (facts.as_of, facts.inserted, facts.updated, facts.opportunities) == (lp_account.now, 1, 0, 1)
    assert facts.watermarks["leads"] == lp_account.now
    assert set(facts.readings) == {"leads", "prospects"}
    end(lp_account, "failed")
    assert read_journal(lp_account.load()).facts == facts


def test_wrong_settings_are_recorded_where_the_data_is(tmp_path: Path) -> None:
    """E7: by what can be used of them; no folder is made for that."""

    def load() -> Settings:
        return load_settings({**LIVE, "LP_PAGE_SIZE": "many", "LP_PIPELINE_DATA": str(tmp_path / "data")})

    with pytest.raises(SettingsError) as caught:
        load()
    for expected in ([], ["sync"]):
        end = Ending("failed", "LP_PAGE_SIZE: no number.")
        with Connections("1", load) as connections, recorded(connections, "sync", lambda: end):  # noqa: B023
            pass
        assert list(read_journal(caught.value.usable).runs) == expected
        (tmp_path / "data").mkdir(exist_ok=True)


def test_a_full_disk_is_recorded(lp_account: Account) -> None:
    """E7, R1: the file has room for that; and whatever stands in it, the next run writes it anew."""
    with small_disk(lp_account.folder) as disk:
        end(lp_account, "good")
        disk.fill()
        assert end(lp_account, "failed", "The disk is full.").message == "The disk is full."
        disk.free()
        path = lp_account.folder / "journal.json"
        for content in (b"", b"\xff\x00", b'{"runs": {"sync": 7}}', path.read_bytes()[:100]):
            path.write_bytes(content)
            assert read_journal(lp_account.load()).runs == {}
            assert end(lp_account, "good").outcome == "good"


def test_a_journal_that_cannot_be_read_is_an_error_of_ours(lp_account: Account) -> None:
    """E7: with what to do."""
    (lp_account.folder / "journal.json").mkdir(parents=True)
    with pytest.raises(WarehouseError, match="Could not read"):
        read_journal(lp_account.load())
    with lp_account.connections() as connections, recorded(connections, "sync", lambda: Ending("good")):
        pass  # it makes no run fail


def test_it_stays_small(lp_account: Account) -> None:
    """K1: a message is cut, and the file is as large as a full disk has given it once."""
    kinds: tuple[Kind, ...] = msgspec.inspect.type_info(Kind).values  # type: ignore[attr-defined]
    for kind in kinds:
        end(lp_account, "failed", "x" * 100_000, kind)
    assert (lp_account.folder / "journal.json").stat().st_size == 16 * 1024
