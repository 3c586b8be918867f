"""What housekeeping removes from a data folder, and what never goes (SPEC K1)."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from lp_pipeline.clients.hatch import communication
from lp_pipeline.communications.landing import land
from lp_pipeline.communications.ledger import note_pushing, open_pushes, register
from lp_pipeline.runs.upkeep.compaction import DRAFT
from lp_pipeline.runs.upkeep.housekeeping import tidy_data
from lp_pipeline.runs.upkeep.tidied import Tidied, size
from lp_pipeline.storage.warehouse import Warehouse
from lp_pipeline_tests.scenario import Scenario, prospect

STATES = ("sent", "skipped", "pending", "sending", "unmatched", "uncertain", "failed")


def arrive(scenario: Scenario, *names: str) -> None:
    """Communications land, and a push sees them for the first time."""
    settings = scenario.settings
    note_pushing(scenario.outbox, settings)
    said = {"category": "sms", "body": "Hello", "occurred_at": scenario.now.isoformat()}
    items = [{"id": name, **said} for name in names]
    read = [communication(json.dumps(item).encode(), settings.hatch_time_columns) for item in items]
    land(scenario.outbox, settings, read, "inbox")
    with scenario.outbox.transaction() as connection:
        register(connection, scenario.outbox, settings)


def settle(scenario: Scenario, name: str, state: str) -> None:
    with closing(sqlite3.connect(scenario.outbox.path)) as connection, connection:
        connection.execute(
            "update communication_pushes set state = ? where communication_id = ? and target = 'note'", (state, name)
        )


def there(scenario: Scenario, table: str = "communications") -> set[str]:
    with closing(sqlite3.connect(scenario.outbox.path)) as connection:
        return {name for (name,) in connection.execute(f"select communication_id from {table}")}


@contextmanager
def turn(scenario: Scenario) -> Iterator[Warehouse]:
    yield scenario.warehouse


def tidy(scenario: Scenario, *, dry_run: bool = False) -> dict[str, Tidied]:
    lines = tidy_data(scenario.settings, scenario.outbox, lambda: turn(scenario), dry_run=dry_run)
    return {line.what: line for line in lines}


def test_finished_communications_go_and_the_ledger_of_what_was_sent_stays(scenario: Scenario) -> None:
    """K1, C7, R5: only what is sent or skipped to every target and is not to be looked up first, and is old enough. One
    that arrives again is not pushed again. A dry run counts, and removes nothing."""
    scenario.set(KEEP_COMMUNICATIONS_DAYS="30")
    arrive(scenario, *STATES, "looked for")
    for name in STATES:
        settle(scenario, name, name)
    settle(scenario, "looked for", "skipped")
    with scenario.outbox.transaction() as connection:
        connection.execute("insert into pushes_to_look_for values ('looked for', 'note')")
    scenario.later(days=31)
    arrive(scenario, "young")
    settle(scenario, "young", "sent")
    everything = there(scenario)

    counted = tidy(scenario, dry_run=True)["communications from Hatch"]
    assert there(scenario) == everything
    done = tidy(scenario)["communications from Hatch"]
    assert done == counted == Tidied("communications from Hatch", 9, 7)
    assert there(scenario) == everything - {"sent", "skipped"}
    assert there(scenario, "communication_pushes") == everything

    arrive(scenario, "sent")
    opened = open_pushes(scenario.outbox, scenario.settings, ["note"], due_only=False)
    assert {push.communication_id for push in opened} == {"pending", "sending", "unmatched"}


def test_a_setting_of_0_keeps_every_communication(scenario: Scenario) -> None:
    """K1: for an analyst who wants all of them."""
    scenario.set(KEEP_COMMUNICATIONS_DAYS="0")
    arrive(scenario, "c1")
    settle(scenario, "c1", "sent")
    scenario.later(days=3650)
    tidy(scenario)
    assert there(scenario) == {"c1"}


def test_what_killed_processes_left_goes_and_sizes_are_shown(scenario: Scenario) -> None:
    """K1: half a compact copy, spilled rows."""
    scenario.sync(prospect("1"))
    (scenario.folder / "spill").mkdir(exist_ok=True)
    (scenario.folder / "spill" / "duckdb_temp_storage_DEFAULT-0.tmp").write_text("x")
    (scenario.folder / DRAFT).write_text("x")
    lines = tidy(scenario)
    assert not {"spill", DRAFT} & {path.name for path in scenario.folder.iterdir()}
    assert lines["size of work.duckdb"].after == scenario.warehouse.work.stat().st_size
    assert str(Tidied("size", 31_400_000, 900, is_size=True)) == "31.4 MB → 900 bytes"
    assert (str(Tidied("runs", 1400, 1400)), size(8e12)) == ("1,400, unchanged", "8.0 TB")


def test_an_empty_folder_stays_empty(scenario: Scenario) -> None:
    """K1: nothing is made where nothing was."""
    scenario.warehouse.work.unlink()
    assert tidy(scenario) == {}
    assert [*scenario.folder.iterdir()] == []
