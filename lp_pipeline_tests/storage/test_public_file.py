"""SPEC Q1, R2: whatever a client did to the file that people query stops neither a sync nor the next reader."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import duckdb
import pytest

from lp_pipeline.cli.console import console
from lp_pipeline.cli.prompt import ask
from lp_pipeline.errors import WarehouseError
from lp_pipeline.storage.publish import publish
from lp_pipeline_tests import meddling
from lp_pipeline_tests.meddling import EVERYDAY, HARMFUL, HARMLESS, Act, Client, log_of
from lp_pipeline_tests.scenario import Scenario, lead, prospect

NOBODY = 65534
ACTS = [act if act in EVERYDAY else pytest.param(act, marks=pytest.mark.slow) for act in HARMFUL]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Ends the processes of clients."""
    with ExitStack() as opened:
        yield opened


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    """Two opportunities."""
    scenario = Scenario(tmp_path_factory.mktemp("two"))
    scenario.sync(prospect("1", lead("10")), prospect("2", lead("20")))
    yield scenario
    scenario.outbox.close()


@pytest.fixture
def known(two: Scenario) -> Scenario:
    """The same, published; whatever the test before this one did to it, a sync has seen to."""
    again(two)
    return two


def again(scenario: Scenario) -> bool:
    """What a sync does at its end: whether it published."""
    return publish(scenario.warehouse, outbox=scenario.outbox, now=scenario.now, zone="UTC").published


def seen(path: Path) -> int:
    """What a reader sees of our opportunities; nobody's table is beside them."""
    query = "select (select count(*) from opportunities), (select count(*) from duckdb_tables() where table_name = $1)"
    with duckdb.connect(str(path), read_only=True) as connection:
        ((number, theirs),) = connection.execute(query, ["theirs"]).fetchall()
    assert theirs == 0
    return int(number)


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_what_a_client_did_is_thrown_away_and_built_anew_at_once(known: Scenario, stack: ExitStack, act: Act) -> None:
    """Q1, R2: by the next sync, although nothing changed; the next reader sees its result; the client continues."""
    act(known.warehouse.published, stack)
    assert again(known)
    assert seen(known.warehouse.published) == 2
    assert not again(known)


@pytest.mark.parametrize("act", HARMLESS, ids=lambda act: act.__name__)
def test_a_client_that_only_reads_changes_nothing(known: Scenario, stack: ExitStack, act: Act) -> None:
    """Q1: its copy stays as long as nothing changes."""
    act(known.warehouse.published, stack)
    assert not again(known)
    assert seen(known.warehouse.published) == 2


def test_a_client_that_has_the_old_file_open_for_writing_can_not_spoil_the_new_one(
    known: Scenario, stack: ExitStack
) -> None:
    """Q1: a log that it begins after the new file took the name would lie beside that, and stop every reader."""
    meddling.writable(known.warehouse.published)
    client = Client(known.warehouse.published, stack)
    assert again(known)
    assert client.do("create table theirs as select 1 as one").startswith("refused")
    client.kill()
    assert seen(known.warehouse.published) == 2
    assert not again(known)


def test_the_old_file_is_whole_without_its_log(known: Scenario, stack: ExitStack) -> None:
    """Q1: which goes first, so that it is never beside the new file; who reads in between sees our data alone."""
    meddling.is_killed_with_a_log(known.warehouse.published, stack)
    log_of(known.warehouse.published).unlink()
    assert seen(known.warehouse.published) == 2


def test_a_folder_in_its_place_moves_aside_with_all_that_is_in_it(known: Scenario, stack: ExitStack) -> None:
    """Q1: nothing of a person's is deleted, however often."""
    for number in (1, 2):
        meddling.puts_a_folder_there(known.warehouse.published, stack)
        assert again(known)
        assert (known.folder / f"published.duckdb.aside-{number}" / "schema.sql").exists()


def test_the_file_of_an_older_program_is_built_anew_once(known: Scenario) -> None:
    """R6, Q1: that left it writable, and nothing by which to know it again."""
    known.warehouse.published.chmod(0o600)
    log_of(known.warehouse.published).unlink()
    assert again(known)
    assert oct(known.warehouse.published.stat().st_mode & 0o777) == "0o400"
    assert not again(known)


AS_ITS_OWNER = """
import os, sys, duckdb
if os.getuid() == 0:  # whom no mode stops
    os.setuid(os.stat(sys.argv[1]).st_uid)
duckdb.connect(sys.argv[1], read_only=True).close()
print("read", flush=True)
duckdb.connect(sys.argv[1])
"""


def test_the_default_open_of_its_owner_is_refused_at_once() -> None:
    """Q1: DuckDB opens for writing by default; the mode forbids it, and reading works as ever."""
    with tempfile.TemporaryDirectory() as folder:  # pytest's own is closed to other users
        scenario = Scenario(Path(folder))
        scenario.sync(prospect("1", lead("10")))
        assert again(scenario)
        scenario.outbox.close()
        path = scenario.warehouse.published
        if os.getuid() == 0:
            os.chown(folder, NOBODY, -1)
            os.chown(path, NOBODY, -1)
        result = subprocess.run([sys.executable, "-c", AS_ITS_OWNER, str(path)], capture_output=True, text=True)
    assert result.stdout == "read\n"
    assert "Permission denied" in result.stderr


@pytest.mark.slow
def test_a_person_is_told_who_holds_it_and_what_to_do(known: Scenario, stack: ExitStack) -> None:
    """R2: in one line, with the process; after the next sync it answers again."""
    meddling.writable(known.warehouse.published)
    client = Client(known.warehouse.published, stack)
    with pytest.raises(WarehouseError, match=rf"held open by process {client.process.pid}.*lp-pipeline sync"):
        ask(known.settings, "select 1", console())
    assert again(known)
    ask(known.settings, "select 1", console())
    meddling.empties_it(known.warehouse.published, stack)
    log_of(known.warehouse.published).unlink()
    log_of(known.warehouse.published).write_bytes(b"nothing of DuckDB's" * 100)
    with pytest.raises(WarehouseError, match="is not as the last sync left it") as raised:
        ask(known.settings, "select 1", console())
    assert "\n" not in str(raised.value)
