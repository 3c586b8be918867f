"""`lp-pipeline sql`: what people see is what is in the file (SPEC Q1, E9)."""

import csv
import io
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from lp_pipeline.cli.main import main
from lp_pipeline.cli.prompt import ask, prompt
from lp_pipeline.errors import WarehouseError
from lp_pipeline.settings import Settings
from lp_pipeline.storage.publish import publish
from lp_pipeline_tests.scenario import LIVE, PATIENCE, Scenario, lead, live_settings, prospect

ODD = """select time '12:34:56' as t, 'infinity'::timestamp as i, timestamptz '2026-01-01 00:00:00.123456Z' as z,
1.50::decimal(9, 2) as d, 'nan'::double as n, 170141183460469231731687303715884105727 as h,
null as nothing, '' as empty,
'a' || chr(27) || '[31m' as e, [1.5, null] as l, '{"k": 1.10}'::json as j, repeat('x', 1500) as long"""
EXACT = {
    "t": "12:34:56",
    "i": "infinity",
    "z": "2025-12-31 19:00:00.123456-05",
    "d": "1.50",
    "n": "nan",
    "h": "170141183460469231731687303715884105727",
    "nothing": "",
    "empty": "",
    "e": "a\x1b[31m",
    "l": "[1.5, NULL]",
    "j": '{"k": 1.10}',
    "long": "x" * 1500,
}

Sql = Callable[..., Result]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with one opportunity published, in New York."""
    scenario = Scenario(tmp_path_factory.mktemp("data"))
    scenario.sync(prospect("1", lead("10")))
    publish(scenario.warehouse, outbox=scenario.outbox, now=scenario.now, zone="America/New_York", force=True)
    scenario.outbox.close()
    return scenario.folder


@pytest.fixture
def settings(folder: Path) -> Settings:
    """The settings of that folder."""
    return live_settings(folder)


@pytest.fixture
def sql(folder: Path) -> Sql:
    """`lp-pipeline sql` with these arguments, its output going into another program."""
    runner = CliRunner(env={**LIVE, "LP_PIPELINE_DATA": str(folder)})
    return lambda *arguments, **given: runner.invoke(main, ["sql", *arguments], **given)


def page(settings: Settings, query: str, width: int = 200) -> str:
    """What a terminal of that width shows."""
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    ask(settings, query, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_another_program_gets_every_value_exactly(sql: Sql) -> None:
    """Times, infinity, fractions of a second and long texts; as CSV, with or without being asked."""
    for arguments in ([ODD], [ODD, "--csv"]):
        result = sql(*arguments)
        assert list(csv.DictReader(io.StringIO(result.stdout))) == [EXACT]
    assert ',,"",' in result.stdout  # NULL is nothing, an empty text is quoted


def test_json_is_exact_and_typed(sql: Sql) -> None:
    """Numbers keep their digits, JSON and lists are JSON, NULL is null; what JSON can't say is DuckDB's text."""
    result = sql(ODD, "--json")
    assert '"d": 1.50,' in result.stdout
    (row,) = json.loads(result.stdout, parse_constant=pytest.fail)
    assert row == {**EXACT, "d": 1.5, "h": int(EXACT["h"]), "nothing": None, "l": [1.5, None], "j": {"k": 1.1}}


def test_everything_goes_into_a_pipe(sql: Sql) -> None:
    """Nothing is cut there, and nothing folded."""
    assert sql("select range as n from range(5000)").stdout.splitlines() == ["n", *map(str, range(5000))]
    assert len(json.loads(sql("--json", "from range(5000)").stdout)) == 5000


def test_a_row_that_fits_is_a_table_and_one_that_does_not_a_record(settings: Settings) -> None:
    """No ellipses: at 80 columns each column of `opportunities` has its line, long texts are whole."""
    assert "│ 1 │ é │" in page(settings, "select 1 as n, 'é' as x", 80)
    shown = page(settings, "from opportunities", 80)
    assert "external_contact_id  1\n" in shown
    assert "…" not in shown
    assert "x" * 1500 in page(settings, "select repeat('x', 1500) as long", 80)


def test_a_page_is_cut_only_with_a_note(settings: Settings) -> None:
    """200 rows on a terminal, and how to see all."""
    shown = page(settings, "from range(201)")
    assert "│   199 │" in shown
    assert "│   200 │" not in shown
    assert "--csv" in shown
    assert "--csv" not in page(settings, "from range(200)")


def test_data_cannot_steer_the_terminal(settings: Settings) -> None:
    """Control characters of values, names and errors are shown, not sent."""
    shown = page(settings, "select 'a' || chr(27) || '[2J' || chr(10) || chr(8238) as \"b\x1b[0m\", '' as e, null as n")
    assert "a\\x1b[2J\\n\\u202e" in shown
    assert "b\\x1b[0m" in shown
    assert "\x1b[2J" not in shown
    assert "NULL" in shown
    with pytest.raises(WarehouseError, match=r"\\x1b") as caught:
        page(settings, "select cast('a\x1b[2J' as integer)")
    assert "\x1b" not in str(caught.value)


def test_each_statement_shows_its_result(sql: Sql, settings: Settings) -> None:
    """Not only the last one; what brings no rows shows nothing; comments and semicolons in texts are no borders."""
    text = "select 1 as a; -- one;\nset variable v = 2;\nselect getvariable('v') as b, ';' as c;; -- end"
    assert sql(text).stdout == "a\n1\n\nb,c\n2,;\n"
    shown = page(settings, text)
    assert shown.index("┃ a ┃") < shown.index("┃ b ┃")


@pytest.mark.parametrize(
    "query", ["describe opportunities", "show tables", "pivot range(2) on range", "explain select 1"]
)
def test_statements_of_any_kind_work(sql: Sql, settings: Settings, query: str) -> None:
    """Not only `select`."""
    assert len(sql(query).stdout.splitlines()) > 1
    assert page(settings, query).strip()


def test_a_leading_comment_is_part_of_the_query(sql: Sql, tmp_path: Path) -> None:
    """Ready-made questions begin with one: as an argument, from a file, from standard input."""
    text = "-- how = many?\nselect count(*) as n from opportunities"
    (tmp_path / "question.sql").write_text(text)
    for result in (sql(text), sql("--file", str(tmp_path / "question.sql")), sql(input=text), sql("--csv", text)):
        assert (result.exit_code, result.stdout) == (0, "n\n1\n")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([""], "There is no query"),
        (["-- only a comment\n"], "There is no query"),
        (["select nothing"], "LINE 1: select nothing"),
        (["insert into leads from leads"], "read-only"),
        (["--cvs"], "No such option"),
        (["select 1", "--csv", "--json"], "either --csv or --json"),
    ],
)
def test_a_mistake_is_one_message(sql: Sql, arguments: list[str], expected: str) -> None:
    """In DuckDB's words about the query as it was typed, without a stack trace."""
    result = sql(*arguments)
    assert result.exit_code in (1, 2)
    assert expected in result.stderr
    assert isinstance(result.exception, SystemExit)


def test_text_in_another_encoding_is_one_message(sql: Sql, tmp_path: Path) -> None:
    """What is not UTF-8 is named as that, from a file and as an argument."""
    latin = "select 'é'".encode("latin-1")
    (tmp_path / "latin.sql").write_bytes(latin)
    for result in (sql("--file", str(tmp_path / "latin.sql")), sql(latin.decode("utf-8", "surrogateescape"))):
        assert (result.exit_code, "UTF-8" in result.stderr) == (1, True)


def typed(*lines: str | type[BaseException]) -> Callable[[str], str]:
    """A person who types these lines, or Ctrl-C, then Ctrl-D."""
    left: Iterator[Any] = iter(lines)

    def read(_prompt: str) -> str:
        line = next(left, EOFError)
        if isinstance(line, str):
            return line
        raise line

    return read


def session(settings: Settings, *lines: str | type[BaseException]) -> str:
    """What the prompt shows."""
    console = Console(file=io.StringIO(), width=200, color_system=None)
    prompt(settings, console, typed(*lines))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_prompt_takes_lines_until_a_semicolon(settings: Settings) -> None:
    """Also one that a comment follows; one in a text or a comment ends nothing."""
    shown = session(settings, "select 'é;' as a, -- not yet;", "", "2 as b; -- now", ".quit", "select 3 as never;")
    assert "│ é; │ 2 │" in shown
    assert "never" not in shown


def test_ctrl_c_drops_the_line_and_leaves_the_prompt_usable(settings: Settings) -> None:
    """What was typed so far is gone, the next query works."""
    assert "│ 7 │" in session(settings, "select oh", KeyboardInterrupt, "select 7 as n;")


@pytest.mark.slow
def test_ctrl_c_ends_a_long_query_and_leaves_the_prompt_usable(folder: Path) -> None:
    """On a real terminal: DuckDB stops, and the next query works."""
    environ = {**os.environ, **LIVE, "LP_PIPELINE_DATA": str(folder), "TERM": "dumb"}
    terminal, theirs = pty.openpty()
    command = [sys.executable, "-c", "from lp_pipeline.cli.main import main; main(['sql'])"]
    # a shell's background job, which the tests may be, has Ctrl-C switched off
    default = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environ, preexec_fn=default)
    os.close(theirs)

    def shown_until(text: str, patience: float = PATIENCE) -> str:
        shown, deadline = b"", time.monotonic() + patience
        while text.encode() not in shown:
            if not select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise TimeoutError(f"{text!r} is not in {shown.decode(errors='replace')!r}")
            shown += os.read(terminal, 4096)
        return shown.decode()

    def press_ctrl_c() -> None:
        process.send_signal(signal.SIGINT)
        try:
            shown_until("sql> ", patience=5.0)
        except TimeoutError:  # Python sees one that comes just as it begins to wait at the next key only
            process.send_signal(signal.SIGINT)
            shown_until("sql> ")

    try:
        shown_until("sql> ")
        endless = "select count(*) from range(1000000000000) as a, range(1000000) as b where a.range + b.range = 7;"
        os.write(terminal, f"{endless}\n".encode())
        shown_until("7;")
        press_ctrl_c()
        os.write(terminal, b"select 7 as n;\n")
        assert "│ 7 │" in shown_until("sql> ")
        os.write(terminal, b"select oh")
        shown_until("oh")
        press_ctrl_c()  # while it waits for more
        os.write(terminal, b".tables\n")
        assert "current_opportunities" in shown_until("sql> ")
        os.write(terminal, b".quit\n")
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()
        os.close(terminal)


def test_a_mistake_leaves_the_prompt_usable(settings: Settings) -> None:
    """It is shown, and the next query works."""
    shown = session(settings, "select oh;", "select 7 as n;")
    assert "oh" in shown
    assert "│ 7 │" in shown


def test_the_prompt_helps(settings: Settings) -> None:
    """`.tables` lists what people query, with what it holds; `.help` the rest; anything else says so."""
    shown = session(settings, ".tables", ".help", ".nothing")
    assert "current_opportunities" in shown
    assert "raw.prospects" in shown
    assert "semicolon" in shown
    assert "There is no .nothing" in shown
