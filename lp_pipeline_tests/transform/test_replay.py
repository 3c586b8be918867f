"""SPEC E4: what was stored rebuilds what is live, and a change of the SQL shows in the rows that it is about."""

import random
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import settings

from lp_pipeline.cli.main import main
from lp_pipeline.errors import WarehouseError
from lp_pipeline.extract.landing import Kind
from lp_pipeline.settings import REPOSITORY
from lp_pipeline.storage.sql import statements_from
from lp_pipeline.storage.sync_log import begin_sync
from lp_pipeline.transform.held import settle_held
from lp_pipeline.transform.merge import merge, stage
from lp_pipeline.transform.replay import SCRATCH, ReplayReport, replay
from lp_pipeline.transform.rezone import rezone
from lp_pipeline_tests.scenario import LIVE, Record, Scenario, lead, prospect

DRILLS = settings.get_current_profile_name() == "drills"
STEPS = 40 if DRILLS else 5
WHAT_IS_REBUILT = {
    "opportunities": "*",
    "rejected_records": "*",
    "held_opportunities": "*",
    "calls": "*",
    "pipeline.suspects": "*",
    "pipeline.merged": "*",
    "pipeline.older_keys": "*",
    "pipeline.lead_listings": "*",
}


def state(scenario: Scenario) -> dict[str, list[Any]]:
    """Everything by which the next merge goes, and what people see."""
    with scenario.warehouse.connection() as connection:
        return {
            table: connection.execute(f"select {columns} from {table} order by all").fetchall()
            for table, columns in WHAT_IS_REBUILT.items()
        }


def nothing_differs(scenario: Scenario) -> ReplayReport:
    """A replay finds no difference, and adopting it changes no table."""
    before, changes = state(scenario), scenario.ask("select count(*) from opportunity_changes")
    report = replay(scenario.settings, adopt=True)
    assert (report.rows, report.counts, report.adopted) == ([], {}, 0)
    assert state(scenario) == before
    assert scenario.ask("select count(*) from opportunity_changes") == changes
    return report


@pytest.mark.slow
def test_a_replay_finds_no_difference_after_all_that_can_happen(scenario: Scenario) -> None:
    """E4: merges skipped and caught up, rejected and judged again, stale, gone and back, held, accepted, dropped,
    rezoned, backfilled, settings changed in between: each is done again as it was."""
    s = scenario
    s.set(LP_HELD_AFTER="1", LP_IGNORE_FIELDS="setter")
    old = {"lastchangedon": "2025-01-05T08:00:00", "dateentered": "2025-01-05T08:00:00"}
    s.read("leads", prospect("6", lead("60"), lead("61", **old)))  # one of its stamps lies inside the window
    s.sync(prospect("1", lead("10"), lead("11")), prospect("2", lead("20"), email=...))
    assert s.keys("external_contact_id = '6'") == [("6", "60", "lead+prospect")]
    s.later()
    late = begin_sync(s.warehouse, s.settings, "late")
    s.read("leads", prospect("1", lead("10", disposition="Sold")))  # skipped: merged with the next one
    s.later()
    s.read("prospects", prospect("3", firstname="Zoe", calls=[{"calldatetime": "2026-03-01T10:00:00", "phone": "1"}]))
    assert s.merge().gone == 1
    s.later()
    s.read("leads", prospect("1", lead("10", disposition="Lost")), sync=late)
    assert s.merge().stale == 1
    s.later()
    assert s.sync(prospect("2", lead("20"), email=...)).rejected == 1  # the stored one, again
    s.set(LP_AVAILABILITY="strict", LP_IGNORE_FIELDS="")
    s.later()
    s.sync(prospect("1", lead("10", disposition="", setter="Lee"), lead("11")), prospect("4", lead("40"), phone1=""))
    s.set(LP_AVAILABILITY="identity")
    s.later()
    assert s.sync(prospect("2", lead("20"), email=...)).inserted == 1
    s.read("leads", prospect("5", lead("50", dateentered="2025-01-01")), minutes=600, kind="backfill")
    s.merge()
    for day in (4, 5):  # one passes the guard, the others are held
        s.later()
        dates = {"dateadded": f"2025-11-0{day}T10:00:00"}
        people = [prospect(number, lead(f"{number}0"), **dates) for number in "125"[: day - 3]]
        s.sync(*people)
    assert len(s.ask("from held_opportunities where state = 'held'")) == 2
    assert len(settle_held(s.settings, "accept", ["1"])) == 1
    assert len(settle_held(s.settings, "drop", [])) == 1
    s.set(LP_TIMEZONE="America/Denver")
    s.later()
    assert "recomputed" in rezone(s.settings)
    s.later()
    s.sync(prospect("1", lead("10"), lead("11"), dateadded="2025-11-05T10:00:00"), prospect("2", lead("20")))
    s.read("leads", prospect("3", lead("30")))  # not merged yet
    report = nothing_differs(s)
    assert report.done_again == len(s.ask("from pipeline.merge_log")) >= 12
    assert s.merge().inserted == 1
    assert not (s.folder / SCRATCH).exists()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20) if DRILLS else [1])
def test_a_replay_finds_no_difference_after_a_random_history(scenario: Scenario, seed: int) -> None:
    """E4: whatever is read, in whatever order, under whatever settings."""
    dice = random.Random(seed)
    scenario.set(LP_HELD_AFTER="2")
    for number in range(STEPS):
        scenario.now += timedelta(minutes=dice.choice([0, 15, 600, -60, 1500]))
        scenario.set(
            LP_AVAILABILITY=dice.choice(["present", "strict", "identity"]),
            LP_IGNORE_FIELDS=dice.choice(["", "setter"]),
        )
        for feed in dice.sample(["leads", "prospects"], dice.choice([1, 2])):
            kind: Kind = dice.choice(["sync", "sync", "sweep"])
            scenario.read(feed, *(_anyone(dice) for _ in range(4)), kind=kind, minutes=dice.choice([35, 2000]))
        if number % 10 == 4:
            settle_held(scenario.settings, dice.choice(["accept", "drop"]), [])
        elif dice.random() < 0.7:
            scenario.merge()
    scenario.merge()
    assert len(scenario.keys()) > 3
    nothing_differs(scenario)


def _anyone(dice: random.Random) -> Record:
    leads = [
        lead(
            dice.choice(["10", "11", "12"]),
            disposition=dice.choice(["Set", "Sold", "", ...]),
            setter=dice.choice("AB"),
            lastchangedon=dice.choice(["2026-03-02T11:51:07", "", "2025-01-01T08:00:00"]),
        )
        for _ in range(dice.choice([0, 1, 2]))
    ]
    created = dice.choice(["2025-11-03T10:12:44", "2025-11-03T10:12:44", "2025-11-04T10:12:44", "2025-11-05T01:00:00"])
    changes: Record = {"email": dice.choice(["a@example.com", "b@example.com", "", ...]), "dateadded": created}
    return prospect(dice.choice("1234"), *leads, **changes)


def test_the_availability_under_which_it_was_staged_counts(scenario: Scenario) -> None:
    """E4: the staging and the merge may be two runs, with a changed setting in between."""
    scenario.read("leads", prospect("1", lead("10"), email=""))
    stage(scenario.warehouse, scenario.settings)
    scenario.set(LP_AVAILABILITY="strict")
    sync_id = begin_sync(scenario.warehouse, scenario.settings, "later")
    assert merge(scenario.warehouse, scenario.settings, sync_id).inserted == 1
    nothing_differs(scenario)


def test_a_lead_that_a_backfill_read_before_its_sync_is_triggered_again(scenario: Scenario) -> None:
    """E4, F2: a replay knows which readings are from a backfill or sweep, so the lead they left out comes in again."""
    old = {"dateentered": "2026-02-28T08:00:00", "lastchangedon": "2026-02-28T08:00:00"}
    person = prospect("1", lead("10", **old), lead("11"))
    scenario.read("leads", person, minutes=35, kind="backfill")
    scenario.merge()
    assert scenario.keys() == [("1", "11", "lead+prospect")]
    assert scenario.sync(person, minutes=5 * 24 * 60).inserted == 1
    assert scenario.keys() == [("1", "10", "lead+prospect"), ("1", "11", "lead+prospect")]
    nothing_differs(scenario)


def test_what_was_staged_before_a_verdict_or_a_rezone_is_staged_again(scenario: Scenario) -> None:
    """E4, M9, J5: they change what staging goes by, so the merge does not go by an older one."""
    scenario.read("leads", prospect("1", lead("10")))
    stage(scenario.warehouse, scenario.settings)
    settle_held(scenario.settings, "drop", [])
    assert scenario.ask("from pipeline.batch") == []
    stage(scenario.warehouse, scenario.settings)
    scenario.set(LP_TIMEZONE="America/Denver")
    rezone(scenario.settings)
    assert scenario.ask("from pipeline.batch") == []
    assert scenario.merge().inserted == 1
    nothing_differs(scenario)


CAPITALS = ("pipeline.lp_text(disposition) as", "upper(disposition) as")
PHONES = ("'there': phone1 is not null", "'there': phone is not null")


def changed_sql(folder: Path, change: tuple[str, str] = CAPITALS) -> Path:
    """A copy of sql/ in which an opportunity's status is in capitals, or with another change of that file."""
    copied = folder / "sql"
    shutil.copytree(REPOSITORY / "sql", copied)
    file = copied / "staging" / "staged_opportunities.sql"
    changed = file.read_text().replace(*change)
    assert changed != file.read_text()
    file.write_text(changed)
    return copied


def test_changed_sql_shows_just_the_rows_concerned(scenario: Scenario, tmp_path: Path) -> None:
    """E4: key, column, live value and replayed value; nothing live is touched."""
    scenario.sync(prospect("1", lead("10", disposition="Sold")), prospect("2", lead("20", disposition="SET")))
    scenario.sync(prospect("3"), feed="prospects")
    before = state(scenario)
    with statements_from(changed_sql(tmp_path)):
        report = replay(scenario.settings)
    assert [(row[:2], row[3:]) for row in report.rows] == [(("1", "10"), ("status", "Sold", "SOLD"))]
    assert report.counts == {"status": 1}
    assert (report.adopted, state(scenario)) == (None, before)


def test_what_is_only_here_or_only_there_shows_as_a_whole(scenario: Scenario) -> None:
    """E4: an opportunity that the replay does not make, and one that it makes besides."""
    scenario.sync(prospect("1", lead("10")), prospect("2", lead("20")))
    with scenario.warehouse.transaction() as connection:
        connection.execute("update opportunities set external_id = '21' where external_id = '20'")
    report = replay(scenario.settings)
    assert [(*row[:2], *row[3:]) for row in report.rows] == [
        ("2", "20", "opportunity", "not there", "there"),
        ("2", "21", "opportunity", "there", "not there"),
    ]


@pytest.mark.slow
def test_adopting_makes_the_replayed_state_live(scenario: Scenario, tmp_path: Path) -> None:
    """E4, M7, D1, Q1: differences are replaced, logged as changes, published and due for Hatch; the next sync works."""
    scenario.set(HATCH_API_KEY="not-a-real-key", HATCH_SOURCE="lp")
    first = prospect("1", lead("10", disposition="Sold"))
    scenario.sync(first, prospect("2", lead("20", disposition="SET")))
    began = scenario.now
    with scenario.warehouse.transaction() as connection:
        connection.execute("update pipeline.publication set unpublished_changes = false")
        connection.execute("delete from pipeline.due_deliveries")
    scenario.later()
    with statements_from(changed_sql(tmp_path)):
        assert replay(scenario.settings, adopt=True).adopted == 1
        assert scenario.ask(
            "select external_id, status, first_synced_at, changed_at from opportunities order by all"
        ) == [("10", "SOLD", began, scenario.now), ("20", "SET", began, began)]
        assert scenario.ask(
            "select external_id, column_name, old_value, new_value from opportunity_changes where sync_id > 2"
        ) == [("10", "status", "Sold", "SOLD")]
        assert scenario.ask("select external_id, reason from pipeline.due_deliveries") == [("10", "history")]
        assert scenario.ask("select unpublished_changes from pipeline.publication") == [(True,)]
        assert [shown and shown["id"] for _, shown in scenario.objects()] == ["10", "20"]
        assert replay(scenario.settings).counts == {}
        again = scenario.sync(first, prospect("2", lead("20", disposition="Lost")))
        assert (again.updated, again.inserted) == (1, 0)
        nothing_differs(scenario)


@pytest.mark.slow
def test_adopting_takes_out_what_the_replay_does_not_make(scenario: Scenario) -> None:
    """E4, M7, D1: each of its columns becomes null, and the contact's current opportunity is sent again."""
    scenario.set(HATCH_API_KEY="not-a-real-key", HATCH_SOURCE="lp")
    scenario.sync(prospect("1", lead("10")))
    with scenario.warehouse.transaction() as connection:
        connection.execute("update opportunities set external_id = '11'")
        connection.execute("delete from pipeline.due_deliveries")
    assert replay(scenario.settings, adopt=True).adopted == 2
    assert scenario.keys() == [("1", "10", "lead+prospect")]
    changes = scenario.ask("select external_id, column_name, new_value from opportunity_changes where sync_id > 2")
    assert {row[0] for row in changes if row[1] is None} == {"10"}
    assert {row[1:] for row in changes if row[0] == "11"} >= {("phone", None), ("status", None)}
    assert scenario.ask("select external_id, reason from pipeline.due_deliveries order by all") == [
        ("10", "history"),
        (None, "gone"),
    ]


@pytest.mark.slow
def test_adopting_takes_over_what_the_next_merge_goes_by(scenario: Scenario, tmp_path: Path) -> None:
    """E4, J7, M9: adopts the replay's rejected and held records; rows staged on the old state are gone."""
    scenario.sync(prospect("1", lead("10"), phone1=""), prospect("2", lead("20")))
    scenario.read("leads", prospect("2", lead("20", disposition="Sold")))
    stage(scenario.warehouse, scenario.settings)
    with statements_from(changed_sql(tmp_path, PHONES)):
        assert replay(scenario.settings, adopt=True).counts == {"opportunity": 1}
        assert (scenario.keys(), scenario.rejected()) == ([("2", "20", "lead+prospect")], [("1", "10", ["phone"])])
        assert scenario.ask("from pipeline.batch") == []
        scenario.later()
        merged = scenario.sync(prospect("1", lead("10"), phone1=""))
        assert (merged.updated, merged.rejected) == (1, 1)
        assert scenario.ask("select attempts from rejected_records") == [(2,)]
        nothing_differs(scenario)


def test_syncs_go_on_while_a_replay_runs(scenario: Scenario) -> None:
    """E4, R2: holds the lock only while copying and adopting, and includes what was merged meanwhile."""
    scenario.sync(prospect("1", lead("10")))

    def sync_meanwhile(_done: int, _all: int) -> None:
        if scenario.ask("select count(*) from pipeline.merge_log") == [(1,)]:
            scenario.later()
            scenario.sync(prospect("1", lead("10", disposition=str(scenario.now))))

    report = replay(scenario.settings, adopt=True, on_progress=sync_meanwhile)
    assert (report.counts, report.done_again, report.adopted) == ({}, 2, 0)


def test_a_warehouse_with_merges_from_before_the_log_is_told_so(scenario: Scenario) -> None:
    """E4, R6: no false difference, and nothing is adopted."""
    scenario.sync(prospect("1", lead("10")))
    with scenario.warehouse.transaction() as connection:
        connection.execute("drop table pipeline.merge_log")
        connection.execute("drop table pipeline.merge_log_readings")
        connection.execute("alter table pipeline.batch drop column availability")
        connection.execute("update pipeline.version set version = 2")
    scenario.later()
    scenario.sync(prospect("1", lead("10", disposition="Sold")))
    with pytest.raises(WarehouseError, match=r"1 merges.* are older than the merge log"):
        replay(scenario.settings, adopt=True)
    assert scenario.ask("select status from opportunities") == [("Sold",)]
    assert not (scenario.folder / SCRATCH).exists()


def test_the_command_shows_the_difference_and_fails_if_there_is_one(scenario: Scenario, tmp_path: Path) -> None:
    """E4: `no difference`, or the rows and exit code 1; what is adopted has to be the program's own SQL."""
    scenario.sync(prospect("1", lead("10", disposition="Sold")))
    environ = {**LIVE, "LP_PIPELINE_DATA": str(scenario.folder), "LP_PIPELINE_NOW": scenario.now.isoformat()}
    same = CliRunner().invoke(main, ["replay"], env=environ)
    assert (same.exit_code, "no difference" in same.output) == (0, True)
    folder = str(changed_sql(tmp_path))
    other = CliRunner().invoke(main, ["replay", "--sql", folder, "--scratch", str(tmp_path)], env=environ)
    assert other.exit_code == 1
    assert "Sold" in other.output
    assert "status 1" in other.output
    assert not (tmp_path / SCRATCH).exists()
    refused = CliRunner().invoke(main, ["replay", "--sql", folder, "--adopt"], env=environ)
    assert (refused.exit_code, "sql/ itself" in refused.output) == (2, True)


def test_a_mistake_in_changed_sql_is_told_with_its_file(scenario: Scenario, tmp_path: Path) -> None:
    """E4: not a traceback; a folder without the statements is refused."""
    scenario.sync(prospect("1", lead("10")))
    environ = {**LIVE, "LP_PIPELINE_DATA": str(scenario.folder), "LP_PIPELINE_NOW": scenario.now.isoformat()}
    folder = changed_sql(tmp_path, ("pipeline.lp_text(disposition) as", "lp_text(("))
    wrong = CliRunner().invoke(main, ["replay", "--sql", str(folder)], env=environ)
    assert (wrong.exit_code, "staging/staged_opportunities.sql can't be run" in wrong.output) == (1, True)
    refused = CliRunner().invoke(main, ["replay", "--sql", str(scenario.folder)], env=environ)
    assert (refused.exit_code, "no copy of sql/" in refused.output) == (2, True)
