"""Backups are consistent, checked and whole or not there; restoring one pushes nothing twice (SPEC K2, R5)."""

import json
import shutil
import sqlite3
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lp_pipeline.cli.main import main
from lp_pipeline.errors import PipelineError, SettingsError, WarehouseError
from lp_pipeline.runs.upkeep.backup import backup
from lp_pipeline.runs.upkeep.forget import forget
from lp_pipeline.runs.upkeep.manifest import Manifest, check, read_manifest
from lp_pipeline.runs.upkeep.restore import restore
from lp_pipeline.storage.locks import PUSH_TURN, Turn
from lp_pipeline.storage.outbox import Outbox
from lp_pipeline.storage.warehouse import Warehouse
from lp_pipeline_tests.communications.talk import Talk
from lp_pipeline_tests.communications.test_recovered import NOTES, settled
from lp_pipeline_tests.scenario import PATIENCE, Scenario, lead, live_settings, prospect


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where backups go."""
    (tmp_path / "backups").mkdir()
    return tmp_path / "backups"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder after a sync."""
    scenario = Scenario(tmp_path_factory.mktemp("template"))
    scenario.sync(prospect("1", lead("10")), prospect("2"))
    scenario.outbox.keep("pushing_since", "2026-01-01")
    scenario.outbox.close()
    return scenario.folder


@pytest.fixture
def filled(template: Path, tmp_path: Path) -> Scenario:
    """A scenario with such a folder."""
    shutil.copytree(template, tmp_path / "data")
    return Scenario(tmp_path / "data")


def remade(scenario: Scenario, target: Path) -> Manifest:
    """A backup, with the outbox closed as between two runs."""
    scenario.outbox.close()
    return backup(scenario.settings, target)


def test_a_backup_holds_what_cant_be_had_again_and_its_owner_alone_may_read_it(filled: Scenario, folder: Path) -> None:
    """K2, R4: both files, with a manifest that says what is in them; nothing else, and no settings."""
    made = remade(filled, folder / "one")
    assert sorted(path.name for path in (folder / "one").iterdir()) == ["manifest.json", "outbox.sqlite", "work.duckdb"]
    assert {path.stat().st_mode & 0o777 for path in (folder / "one").iterdir()} == {0o600}
    assert (folder / "one").stat().st_mode & 0o777 == 0o700
    assert [*folder.iterdir()] == [folder / "one"]
    rows = {file.name: file.rows for file in made.files}
    assert (rows["work.duckdb"]["main.opportunities"], rows["outbox.sqlite"]["facts"]) == (2, 1)
    assert read_manifest(folder / "one") == made
    check(folder / "one", made)


def test_a_backup_is_whole_while_others_write(filled: Scenario, folder: Path) -> None:
    """K2: the outbox is copied as of one instant, with what is still in its log, and no writer waits or fails."""
    begun, done = threading.Event(), threading.Event()
    failures: list[Exception] = []

    def write() -> None:
        number = 0
        with Outbox(filled.folder) as outbox:
            while not done.is_set():
                number += 1
                try:
                    with outbox.transaction() as connection:  # both rows or none
                        for name in ("left", "right"):
                            connection.execute("insert or replace into facts values (?, ?)", (name, str(number)))
                except PipelineError as error:
                    failures.append(error)
                begun.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert begun.wait(PATIENCE)
        for number in range(5):
            backup(filled.settings, folder / str(number))
            with closing(sqlite3.connect(folder / str(number) / "outbox.sqlite")) as connection:
                facts = dict(connection.execute("select name, value from facts").fetchall())
            assert facts["left"] == facts["right"]
    finally:
        done.set()
        writer.join()
    assert failures == []


def test_nothing_is_overwritten_and_nothing_half_made_stays(filled: Scenario, folder: Path) -> None:
    """K2: a folder that is there is refused; what a killed backup left goes; one that fails leaves nothing."""
    (folder / ".one.abc.partial").mkdir()
    remade(filled, folder / "one")
    with pytest.raises(SettingsError, match="never overwrites"):
        remade(filled, folder / "one")
    with pytest.raises(SettingsError, match="not a folder"):
        remade(filled, folder / "nosuch" / "two")
    filled.warehouse.work.write_bytes(b"no database" * 1000)
    with pytest.raises(WarehouseError, match="is damaged"):
        remade(filled, folder / "two")
    assert [*folder.iterdir()] == [folder / "one"]


def test_an_empty_folder_is_no_backup(tmp_path: Path, folder: Path) -> None:
    """K2: a mistake in LP_PIPELINE_DATA is noticed when the backup is made, not when it is needed."""
    with pytest.raises(WarehouseError, match="Check LP_PIPELINE_DATA"):
        backup(live_settings(tmp_path / "nosuch"), folder / "one")
    assert [*folder.iterdir()] == []


def test_a_restored_backup_is_as_it_was_and_what_it_replaced_is_kept(filled: Scenario, folder: Path) -> None:
    """K2: rows, not bytes; also where the files that are there are damaged, or are not there."""
    remade(filled, folder / "one")
    filled.later()
    filled.sync(prospect("3"))
    filled.outbox.close()
    done = restore(filled.settings, folder / "one")
    assert filled.keys() == [("1", "10", "lead+prospect"), ("2", None, "prospect")]
    assert done.aside
    assert len(Scenario(done.aside).keys()) == 3
    filled.sync(prospect("3"))
    assert len(filled.keys()) == 3, "life continues"

    for name in ("work.duckdb", "outbox.sqlite"):
        (filled.folder / name).write_bytes(b"no database" * 1000)
    (filled.folder / "work.duckdb.wal").write_bytes(b"of the damaged one")
    filled.warehouse = Warehouse(filled.folder)
    damaged = restore(filled.settings, folder / "one").aside
    assert damaged
    assert (damaged / "work.duckdb.wal").read_bytes() == b"of the damaged one"
    assert len(filled.keys()) == 2

    shutil.rmtree(filled.folder)
    filled.warehouse = Warehouse(filled.folder)
    assert restore(filled.settings, folder / "one").aside is None
    assert len(filled.keys()) == 2


def test_a_restore_is_refused_while_anything_runs(filled: Scenario, folder: Path) -> None:
    """K2: a sync, a push, or whatever else has the outbox open, such as the inbox; nothing is changed."""
    remade(filled, folder / "one")
    before = filled.warehouse.work.stat().st_ino
    for name in ("turn", PUSH_TURN, "past", "replay"):
        with Turn(filled.folder, name, who="a push"), pytest.raises(SettingsError, match="A push is running"):
            restore(filled.settings, folder / "one")
    with closing(sqlite3.connect(filled.outbox.path)) as inbox:
        inbox.execute("select count(*) from facts").fetchall()
        with pytest.raises(SettingsError, match="lp-pipeline inbox"):
            restore(filled.settings, folder / "one")
    assert filled.warehouse.work.stat().st_ino == before
    restore(filled.settings, folder / "one")
    assert filled.warehouse.work.stat().st_ino != before


def test_what_is_no_backup_of_this_account_is_refused(filled: Scenario, folder: Path) -> None:
    """K2, J5, R6: damaged, incomplete, another account's or a newer program's; nothing is changed."""
    remade(filled, folder / "one")
    before = filled.warehouse.work.stat().st_ino

    def refused(words: str, source: Path = folder / "one") -> None:
        with pytest.raises(PipelineError, match=words):
            restore(filled.settings, source)
        assert filled.warehouse.work.stat().st_ino == before

    refused("not a backup", folder)
    filled.set(LP_CLIENT_ID="someone-else")
    refused("another LeadPerfection account")
    filled.set(LP_CLIENT_ID="acme")
    about = json.loads((folder / "one" / "manifest.json").read_text())
    (folder / "one" / "manifest.json").write_text(json.dumps({**about, "format": 2}))
    refused("newer lp_pipeline")
    (folder / "one" / "manifest.json").write_text(json.dumps(about))
    with (folder / "one" / "work.duckdb").open("r+b") as file:
        file.seek(5000)
        file.write(b"?")
    refused("is damaged")
    (folder / "one" / "work.duckdb").unlink()
    refused("is missing")


def test_what_was_pushed_since_the_backup_is_not_pushed_again(talk: Talk, folder: Path) -> None:
    """K2, R5: without a further command; what was open, and what lands again."""
    talk.text("c1")
    talk.lp.fault("string", path=NOTES, message="Not now.", times=1)
    talk.push()
    talk.outbox.close()
    made = backup(talk.load(), folder / "one")
    talk.later(minutes=2)
    talk.text("c2", "2")
    talk.push()
    assert talk.states() == {"c1": "sent", "c2": "sent"}
    talk.outbox.close()
    talk.later()
    assert restore(talk.load(), folder / "one").to_look_up.total() == 1
    assert made.made_at == talk.now - timedelta(minutes=17)
    talk.text("c2", "2", minutes=17)  # Hatch sends it again
    settled(talk)
    assert [len(talk.lp.notes(1)), len(talk.lp.notes(2))] == [1, 1]
    assert talk.states() == {"c1": "sent", "c2": "sent"}


def test_who_was_erased_since_the_backup_stays_erased(filled: Scenario, folder: Path) -> None:
    """K2, E5: that they were is never older than what is there, and they are erased from the restored files again."""
    remade(filled, folder / "one")
    with Outbox(filled.folder) as outbox:
        forget(filled.settings, outbox, "1")
    filled.warehouse = Warehouse(filled.folder)
    done = restore(filled.settings, folder / "one")
    assert done.erased == ["1"]
    assert filled.keys() == [("2", None, "prospect")]
    remade(filled, folder / "two")
    assert (folder / "two" / "forgotten.json").exists()
    shutil.rmtree(filled.folder)
    filled.warehouse = Warehouse(filled.folder)
    assert restore(filled.settings, folder / "two").erased == []
    filled.sync(prospect("1", lead("10")))
    assert filled.keys() == [("2", None, "prospect")]


def typed(scenario: Scenario, home: Path, *words: str) -> Result:
    given = {"LP_API_URL": "https://lp.example", "LP_PIPELINE_NOW": scenario.now.isoformat(), "DAGSTER_HOME": str(home)}
    secrets = {"LP_CLIENT_ID": "acme", "LP_USERNAME": "u", "LP_PASSWORD": "p", "LP_APP_KEY": "k"}
    place = {"LP_TIMEZONE": "America/New_York", "LP_PIPELINE_DATA": str(scenario.folder)}
    return CliRunner().invoke(main, [*words], env={**given, **secrets, **place})


@pytest.mark.slow
def test_the_commands_say_what_they_did(filled: Scenario, tmp_path: Path, folder: Path) -> None:
    """K2: and when a copy is from, in LeadPerfection's time; the settings file comes along on request."""
    home = tmp_path / "home"
    filled.outbox.close()
    (tmp_path / "mine.env").write_text("LP_PAGE_SIZE=50\n")
    made = typed(filled, home, "backup", str(folder / "one"))
    assert made.exit_code == 0, made.output
    assert "as of 2026-03-02 12:00 EST" in made.output
    again = typed(filled, home, "backup", str(folder / "one"))
    assert (again.exit_code, "never overwrites" in again.output) == (1, True)
    put_back = typed(filled, home, "restore", str(folder / "one"))
    assert put_back.exit_code == 0, put_back.output
    assert "is as of 2026-03-02 12:00 EST again" in put_back.output
    assert str(filled.folder / "before-restore-2026-03-02-1") in put_back.output
