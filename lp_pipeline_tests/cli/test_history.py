"""`lp-pipeline backfill` and `sweep` as a person uses them: messages, progress, Ctrl-C, a resume (SPEC W2, S1, R3)."""

import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner, Result

from lp_pipeline.cli.main import main
from lp_pipeline.orchestration.failures import INTERRUPTED
from lp_pipeline.runs.backfill import time_left
from lp_pipeline.runs.connections import SHARE_FOR_SYNCS
from lp_pipeline.settings import REPOSITORY
from lp_pipeline.storage.locks import PAST, Turn
from lp_pipeline_tests.account import Account, shown_errors
from lp_pipeline_tests.runs.past import DAYS, day, ids, person

THREE_DAYS = ("backfill", "--from", f"{DAYS[0]}", "--to", f"{DAYS[1]}")
TOOL = str(Path(sys.executable).parent / "lp-pipeline")


def environment(account: Account) -> dict[str, str]:
    home = account.folder.parent / "dagster"
    home.mkdir(exist_ok=True)
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    return {**account.environ, "LP_PIPELINE_NOW": account.now.isoformat(), "DAGSTER_HOME": str(home)}


def typed(account: Account, *words: str) -> Result:
    return CliRunner(env=environment(account)).invoke(main, words)


@pytest.mark.parametrize(
    ("first", "last", "message"),
    [
        ("26.02.2026", "2026-02-28", "'26.02.2026' is not a valid date; use YYYY-MM-DD"),
        ("2026-02-26", "2026-02-30", "'2026-02-30' is not a valid date"),
        ("2026-02-26", "", "'' is not a valid date"),
    ],
)
def test_what_is_no_day_is_refused_at_once(lp_account: Account, first: str, last: str, message: str) -> None:
    """W2: as a mistake in what was typed, with the form to use; nothing is begun."""
    result = typed(lp_account, "backfill", "--from", first, "--to", last)
    assert (result.exit_code, message in result.output) == (2, True)
    assert not lp_account.folder.exists()


def dagster_runs(account: Account) -> list[str]:
    """The status of each run that Dagster knows, the latest first."""
    with dg.DagsterInstance.from_config(environment(account)["DAGSTER_HOME"]) as instance:
        return [run.status.value for run in instance.get_runs()]


@pytest.mark.parametrize(
    ("first", "last", "message"),
    [
        (DAYS[1], DAYS[0], "The backfill's last day 2026-02-26 is before its first day 2026-02-28. Swap them."),
        ("2026-03-03", "2026-03-04", "The backfill begins on 2026-03-03, and that day has not begun."),
    ],
)
def test_days_that_hold_nothing_to_read_are_refused_before_a_run_starts(
    lp_account: Account, first: object, last: object, message: str
) -> None:
    """W2, R3: exit code 1 and one message that says what to do; no failed run stays in the UI."""
    result = typed(lp_account, "backfill", "--from", f"{first}", "--to", f"{last}")
    assert (result.exit_code, result.output) == (1, f"Error: {message}\n")
    assert dagster_runs(lp_account) == []


def errors_shown(account: Account) -> list[str]:
    """What the UI shows as the errors of the latest run, a stack trace included: once each, in order."""
    with dg.DagsterInstance.from_config(environment(account)["DAGSTER_HOME"]) as instance:
        logs = instance.all_logs(instance.get_runs(limit=1)[0].run_id)
        return shown_errors(entry.dagster_event for entry in logs if entry.dagster_event)


@pytest.mark.parametrize("words", [THREE_DAYS, ("sweep",)])
def test_a_second_one_at_once_is_refused_before_a_run_starts(lp_account: Account, words: tuple[str, ...]) -> None:
    """W2, S1: exit code 1 and one message that says what to do; no failed run stays in the UI."""
    with Turn(lp_account.folder, PAST):
        result = typed(lp_account, *words)
    assert (result.exit_code, result.output) == (
        1,
        "Error: Another backfill or sweep is running. Start this one again when it has ended.\n",
    )
    assert dagster_runs(lp_account) == []


@pytest.mark.slow
def test_it_says_what_went_wrong_and_later_from_where_it_went_on(lp_account: Account) -> None:
    """W2, R3: with LeadPerfection down it says how to resume; a resume says from where, and what it did."""
    for number in range(26, 29):
        lp_account.lp.put(person(lp_account, str(number), day(number)))
    lp_account.lp.fault("403", path="Get", after=4, times=2)
    result = typed(lp_account, *THREE_DAYS)
    assert result.exit_code == 1
    assert result.output.rstrip().endswith("Completed work is saved; start the backfill again to resume.")
    result = typed(lp_account, *THREE_DAYS)
    assert result.exit_code == 0, result.output
    assert "  pieces: 2\n" in result.output
    assert "  notes: resumed from 2026-02-27 00:00\n" in result.output
    assert ids(lp_account) == ["26", "27", "28"]


@pytest.mark.slow
def test_days_that_were_read_before_are_read_again_and_it_says_so(lp_account: Account) -> None:
    """W2: a backfill that has come to its end leaves nothing to resume."""
    assert typed(lp_account, *THREE_DAYS).exit_code == 0
    assert "  notes: read again: these days were read by 2026-03-02\n" in typed(lp_account, *THREE_DAYS).output


@pytest.mark.slow
def test_a_sweep_shows_what_it_found(lp_account: Account) -> None:
    """S1: how many calls it took, and the fields that LeadPerfection changed without a stamp."""
    lp_account.lp.put(person(lp_account, "1"))
    for _ in range(2):  # after the second one it is no news any more
        lp_account.sync()
        lp_account.later(days=1)
    lp_account.lp.edit("1", lambda record: record.update(city="Troy"), stamp=False)
    result = typed(lp_account, "sweep", "--full")
    assert result.exit_code == 0, result.output
    assert "  changes that LeadPerfection had not announced: 1\n" in result.output
    assert "prospect.city" in result.output


@pytest.mark.parametrize(("left", "message"), [(9, "1 min"), (300, "30 min"), (1200, "2.0 hours")])
def test_the_time_left_is_the_calls_left_at_the_rate_less_the_room_for_syncs(left: int, message: str) -> None:
    """W2, R3: 25 pieces took 100 calls, so that 4 calls are to come for each one left; of 50 a minute syncs get a
    fifth."""
    assert timedelta(minutes=4 * left / (50 * (1 - 1 / SHARE_FOR_SYNCS))) < timedelta(hours=2.1)
    assert time_left(100, 25, left, 50) == f"about {message} left"


def test_no_time_is_told_before_anything_is_known() -> None:
    """W2: the first piece of a run has nothing to reckon with."""
    assert time_left(0, 0, 10, 50) == ""


def clean_environment(account: Account) -> dict[str, str]:
    """This process's, with the account's settings and no others of ours."""
    ours = ("LP_", "HATCH_", "DAGSTER_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**inherited, **environment(account), "COLUMNS": "200"}


class Terminal:
    """A command in a terminal of its own: what it shows, and Ctrl-C."""

    def __init__(self, account: Account, *words: str) -> None:
        self._ours, its = pty.openpty()
        self.process = subprocess.Popen(
            [TOOL, *words],
            env=clean_environment(account),
            cwd=REPOSITORY,
            stdin=its,
            stdout=its,
            stderr=its,
            start_new_session=True,
            # a shell's background job, which the tests may be, has Ctrl-C switched off
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
        )
        os.close(its)
        self.shown = ""

    def until(self, seen: Callable[[str], bool]) -> None:
        """Read until it shows this; raises `AssertionError` if it ends before."""
        while not seen(self.shown):
            assert self.read(), self.shown

    def read(self) -> bool:
        """A bit of what it shows; whether there was any."""
        try:
            new = os.read(self._ours, 4096)
        except OSError:  # its end of the terminal is closed
            return False
        self.shown += new.decode("utf-8", "replace")
        return bool(new)

    def interrupt(self) -> None:
        """Ctrl-C goes to all processes of the terminal."""
        os.killpg(self.process.pid, signal.SIGINT)

    def end(self) -> int:
        """All that it shows until it ends; its exit code."""
        while self.read():
            pass
        os.close(self._ours)
        return self.process.wait()


@pytest.mark.slow
def test_into_a_pipe_it_reports_after_a_while_instead_of_drawing_a_bar(lp_account: Account) -> None:
    """W2: a line on standard error after three seconds (then one a minute), nothing else but results on standard
    output."""
    lp_account.lp.before_request = lambda _path, _fields: time.sleep(0.3)
    done = subprocess.run(
        [TOOL, "backfill", "--from", "2026-01-01", "--to", "2026-01-15"],
        env=clean_environment(lp_account),
        capture_output=True,
        text=True,
        check=True,
        cwd=REPOSITORY,
    )
    (line,) = done.stderr.splitlines()
    assert re.fullmatch(r"piece \d+ of 15 \(2026-01-\d\d\), 0 records read, about \d+ min left", line)
    assert "\x1b" not in done.stdout
    assert "  pieces: 15\n" in done.stdout


@pytest.mark.slow
def test_a_terminal_shows_progress_and_ctrl_c_leaves_a_message_and_a_place_to_go_on(lp_account: Account) -> None:
    """W2: a bar with the piece, the days and the time left; Ctrl-C is no stack trace; a resume reads nothing twice but
    the piece that it was in, and counts the pieces that are done."""
    lp_account.lp.before_request = lambda _path, _fields: time.sleep(0.3)
    words = ("backfill", "--from", "2026-01-01", "--to", "2026-01-30")
    terminal = Terminal(lp_account, *words)
    terminal.until(lambda shown: " of 30 (2026-01-" in shown and " left" in shown)
    terminal.interrupt()
    assert terminal.end() == 1
    assert "Error: Interrupted. Completed work is saved; run the command again to resume." in terminal.shown
    assert "Traceback" not in terminal.shown
    assert errors_shown(lp_account) == [INTERRUPTED]
    done = len(lp_account.ask("select distinct window_from from sync_runs where feed = 'prospects'"))
    lp_account.lp.before_request = None
    terminal = Terminal(lp_account, *words)
    assert terminal.end() == 0, terminal.shown
    assert "notes: resumed from 2026-01-" in terminal.shown
    twice = lp_account.ask("select feed from sync_runs group by feed, window_from having count(*) > 1")
    assert len(twice) <= 2
    assert len(lp_account.ask("select distinct window_from from sync_runs")) == 30 > done
