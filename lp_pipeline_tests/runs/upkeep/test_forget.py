"""SPEC E5: `lp-pipeline forget` erases one person from every file of the data folder, and keeps them out.

The search that finds nothing afterwards (`searching.py`) is shown to find the person before, in each file.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from lp_pipeline.cli.forget import receipt_lines
from lp_pipeline.cli.main import main
from lp_pipeline.clients.hatch import communication, contact_history
from lp_pipeline.communications.landing import Landed, land
from lp_pipeline.communications.ledger import note_pushing, register
from lp_pipeline.errors import WarehouseError
from lp_pipeline.insight.explain import explain
from lp_pipeline.runs.upkeep.backup import backup
from lp_pipeline.runs.upkeep.forget import Receipt, erased_but_there, forget
from lp_pipeline.runs.upkeep.restore import restore
from lp_pipeline.settings import REPOSITORY
from lp_pipeline.storage.forgotten import FILE, Forgotten
from lp_pipeline.storage.outbox import Outbox
from lp_pipeline.storage.publish import publish
from lp_pipeline.transform.held import settle_held
from lp_pipeline.transform.merge import stage
from lp_pipeline.transform.replay import replay
from lp_pipeline_tests.delivery.conftest import HATCH, Deliveries
from lp_pipeline_tests.runs.upkeep.searching import found_in
from lp_pipeline_tests.scenario import LIVE, NOON, Record, lead, prospect

CST, LEAD, OTHER_LEAD, HATCH_CONTACT = "73650918", "84620137", "84620138", "hatch-5e1f0c"
NAMES = ("Quillabeth", "Vandersloot")
PHONE, SHARED_PHONE, EMAIL = "(518)555-0147", "(518)555-0163", "Quilla@vandersloot.example"
NEEDLES = (CST, LEAD, OTHER_LEAD, HATCH_CONTACT, *NAMES, "5185550147", PHONE, EMAIL, "comm-by-phone", "violet door")
LEFT_BEHIND = {
    *(".published.duckdb.4711", ".work.duckdb.compact", "spill/readings.spool", "replay.scratch/live.duckdb"),
}
STORES = {"work.duckdb", "outbox.sqlite", "published.duckdb"}


def them(*leads: Record, **fields: Any) -> Record:
    """The person who is erased."""
    own = {
        "firstname": NAMES[0],
        "lastname": NAMES[1],
        "phone1": PHONE,
        "email": EMAIL,
        "altphones": [{"phone": SHARED_PHONE}],
        "notes": [{"note": f"{NAMES[0]} wants a violet door"}],
        "calls": [{"calldatetime": "2026-03-01T18:03:00", "phone": "5185550147", "resultcode": "NA"}],
    }
    return prospect(CST, *leads, **{**own, **fields})


def other(number: int, **fields: Any) -> Record:
    """Somebody who stays; number 1 shares a phone with the person."""
    phone = SHARED_PHONE if number == 1 else f"(518)555-017{number}"
    own = {"firstname": f"Stay{number}", "phone1": phone, "email": f"stay{number}@example.com"}
    return prospect(str(number), lead(f"{number}0"), **{**own, **fields})


def said(identity: str, **columns: Any) -> dict[str, Any]:
    """One communication as Hatch has it."""
    own = {"id": identity, "category": "sms", "direction": "inbound", "body": "the violet door, please"}
    return {**own, "occurred_at": NOON.isoformat(), **columns}


def lands(s: Deliveries, *items: dict[str, Any], history: bool = False) -> Landed:
    """Communications, or lines of the contact history, arrive."""
    columns = s.settings.hatch_time_columns
    lines = [json.dumps(each).encode() for each in items]
    read = [contact_history(line) if history else communication(line, columns) for line in lines]
    return land(s.outbox, s.settings, read, "inbox")


TALK = (
    said("comm-by-id", external_contact_id=CST),
    said("comm-by-lead", external_id=LEAD),
    said("comm-by-hatch", contact_id=HATCH_CONTACT),
    said("comm-by-phone", phone="+1 518 555 0147"),
    said("comm-by-email", email=f"Q <{EMAIL}>"),
    {"id": "comm-malformed", "phone": PHONE, "body": f"{NAMES[0]} here"},
)
HISTORY = {"hatch_contact_id": HATCH_CONTACT, "external_contact_id": CST, "email": EMAIL, "phone": PHONE}


def fill(folder: Path) -> Deliveries:
    """A folder in which the person is everywhere, among others."""
    s = Deliveries(folder)
    s.set(**HATCH, LP_HELD_AFTER="0")
    others = [other(number) for number in (1, 2, 3)]
    s.sync(them(lead(LEAD), lead(OTHER_LEAD), city="Troy"), *others, other(4, phone1=...))
    s.deliver()
    s.later()
    s.sync(them(lead(LEAD, disposition="Sold"), phone1="(518) 555-0147"), *others)  # a change, an older key
    s.later()
    s.read("prospects", them(lead(LEAD), city="Albany", firstname="Quillabeth A."), kind="sweep", minutes=600)
    s.merge()
    s.later()
    s.sync(them(lead(LEAD), dateadded="2025-12-01T10:00:00"), other(2, dateadded="2025-12-02T10:00:00"))  # held
    settle_held(s.settings, "accept", [CST, "2"])
    s.later()
    s.sync(them(lead(LEAD), dateadded="2025-12-05T10:00:00"))  # held
    s.sync(them(lead(LEAD), lead("84620139", disposition=...)))  # rejected
    s.deliver()
    s.later()
    s.read("leads", them(lead(LEAD, disposition="Lost")), {"lastname": NAMES[1], "phone1": PHONE})
    stage(s.warehouse, s.settings)  # staged, not merged
    note_pushing(s.outbox, s.settings)
    lands(s, HISTORY, history=True)
    lands(
        s,
        *TALK,
        said("comm-shared", phone=SHARED_PHONE, body="who?"),
        said("comm-other", external_contact_id="2", body="hello"),
    )
    with s.outbox.transaction() as connection:
        register(connection, s.outbox, s.settings)
        connection.execute(
            "update communication_pushes set external_contact_id = ? where communication_id like '%id'", [CST]
        )
        connection.execute("insert into pushes_to_look_for select communication_id, target from communication_pushes")
    publish(s.warehouse, outbox=s.outbox, now=s.now, zone=s.settings.lp_timezone)
    shutil.copyfile(folder / "published.duckdb", folder / ".published.duckdb.4711")  # of runs that were killed
    shutil.copyfile(folder / "work.duckdb", folder / ".work.duckdb.compact")
    (folder / "spill").mkdir()
    (folder / "spill" / "readings.spool").write_text(json.dumps(them()))
    (folder / "replay.scratch").mkdir()
    shutil.copyfile(folder / "work.duckdb", folder / "replay.scratch" / "live.duckdb")
    return s


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Such a folder, at rest."""
    folder = tmp_path_factory.mktemp("filled") / "data"
    with closing(fill(folder).outbox):
        return folder


@pytest.fixture
def s(filled: Path, tmp_path: Path) -> Iterator[Deliveries]:
    """A copy of it, to erase from."""
    shutil.copytree(filled, tmp_path / "data", symlinks=True)
    scenario = Deliveries(tmp_path / "data")
    scenario.set(LP_HELD_AFTER="0")
    scenario.later(hours=3)
    with closing(scenario.outbox):
        yield scenario


@pytest.mark.slow
def test_nothing_of_the_person_is_left_in_any_file_and_nothing_brings_them_back(s: Deliveries) -> None:
    """E5: found in each file before, in none after; later readings and messages of them are dropped, others' stay."""
    before = found_in(s.folder, NEEDLES)
    assert before.keys() >= STORES | LEFT_BEHIND
    assert set().union(*before.values()) == set(NEEDLES)
    stay = ("Stay1", "Stay2", "5185550163", "comm-other", "comm-shared")
    (receipt,) = forget(s.settings, s.outbox, CST)
    assert found_in(s.folder, NEEDLES) == {}
    assert set().union(*found_in(s.folder, stay).values()) == set(stay)
    assert not list(s.folder.glob("*.wal")) or (s.folder / "published.duckdb.wal").is_symlink()
    assert (s.folder / FILE).stat().st_mode & 0o777 == 0o600

    assert not s.merge().inserted  # what was staged of others is merged, or not there
    s.later()
    for feed in ("leads", "prospects"):
        assert s.read(feed, them(lead("84620999"), city="Utica"), other(2, city="Utica")) == 1
        s.read(feed, them(lead("84620999")), minutes=6000, kind="sweep")
    s.merge()
    landed = lands(s, *TALK)  # Hatch shows them again, and new ones
    assert (landed.new, landed.rejected, landed.dropped) == (0, 0, len(TALK))
    routes = [
        {"contact_id": HATCH_CONTACT},
        {"phone": PHONE},
        {"email": EMAIL.upper()},
        {"external_id": f"prospect-{CST}"},
    ]
    landed = lands(s, *(said(f"new-{number}", **route) for number, route in enumerate(routes)))
    assert (landed.new, landed.dropped) == (0, len(routes))
    assert lands(s, said("comm-two", external_contact_id="2", body="hi")).new == 1
    lands(s, {**HISTORY, "external_contact_id": None}, history=True)
    s.deliver()
    publish(s.warehouse, outbox=s.outbox, now=s.now, zone=s.settings.lp_timezone)
    assert found_in(s.folder, NEEDLES) == {}
    _check(receipt, s)
    (known,) = {row["hatch_contact_id"] for row in s.outbox.rows("forget_hatch_contacts", {"contact": "2"})}
    assert lands(s, said("comm-new-owner", contact_id=known, phone=PHONE)).new == 1  # of the number


def _check(receipt: Receipt, s: Deliveries) -> None:
    """The receipt counts what was erased, and names what others share and what is out of reach, but no person."""
    assert receipt.rows["raw.readings"] >= 6
    assert (receipt.rows["communications"], receipt.rows["rejected"], receipt.rows["contact_history"]) == (5, 1, 1)
    assert (receipt.sharing, receipt.kept_messages, receipt.other_files) == (1, 1, [])
    text = "\n".join(receipt_lines(receipt, s.settings))
    for part in (
        "Backups",
        "LeadPerfection, which still has",
        "Hatch (contact",
        "Dagster's history",
        "same phone or email",
    ):
        assert part in text
    assert [needle for needle in NEEDLES if needle.lower() in text.lower()] == [CST, HATCH_CONTACT]


@pytest.mark.slow
def test_a_replay_afterwards_finds_no_difference(s: Deliveries) -> None:
    """E4, E5: everybody else is rebuilt from what is stored, what was held and accepted included."""
    assert replay(s.settings).counts == {}
    forget(s.settings, s.outbox, CST)
    report = replay(s.settings, adopt=True)
    assert (report.counts, report.rows) == ({}, [])
    assert s.ask("select external_contact_id from opportunities where external_created_local > '2025-12-01'") == [
        ("2",)
    ]


class Killed(BaseException):
    """The process ends here."""


class Mortal(Outbox):
    """An outbox at whose use number `left` the program ends."""

    left = 0

    def rows(self, *given: Any) -> Any:
        """As ever, or the end."""
        self._count()
        return super().rows(*given)

    def compact(self) -> None:
        """The end before the file is written anew, or after."""
        self._count()
        super().compact()
        self._count()

    def _count(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Killed


@pytest.mark.slow
@pytest.mark.parametrize("left", [2, 5, 6])
def test_killed_half_way_the_same_command_completes_it(s: Deliveries, left: int) -> None:
    """E5: the hash is there first, so nothing comes back in between; the second run erases the rest."""
    mortal = Mortal(s.folder)
    mortal.left = left
    with closing(mortal), pytest.raises(Killed):
        forget(s.settings, mortal, CST)
    assert s.read("leads", them(lead("84620999"))) == 0
    (receipt,) = forget(s.settings, s.outbox, CST)
    assert receipt.was_erased_before
    assert found_in(s.folder, NEEDLES) == {}


@pytest.mark.slow
def test_one_who_was_never_read_is_kept_out_too(s: Deliveries) -> None:
    """E5: only the hash is written; nobody else's row is touched, and `explain` says why it is not there."""
    count = s.ask("select count(*) from raw.readings")
    (receipt,) = forget(s.settings, s.outbox, "55501")
    assert receipt.rows.total() == 0
    assert s.ask("select count(*) from raw.readings") == count
    assert s.read("leads", prospect("55501", lead("555010"))) == 0
    (story,) = explain(s.settings, s.outbox, "55501")
    assert story.state == "erased"


@pytest.mark.slow
def test_a_damaged_list_of_the_erased_stops_the_sync_instead_of_letting_them_back(s: Deliveries) -> None:
    """E5: what can't be read is no empty list."""
    Forgotten(s.folder).add([("prospect", CST)])
    (s.folder / FILE).write_text("{")
    with pytest.raises(WarehouseError, match="says who was erased"):
        s.read("leads", them(lead(LEAD)))


@pytest.mark.slow
def test_who_comes_back_with_an_older_copy_is_erased_again(s: Deliveries, filled: Path) -> None:
    """E5: `forget --again` finds those who were erased by their hashes, and erases all of them."""
    forget(s.settings, s.outbox, CST, "3")
    assert erased_but_there(s.settings, s.outbox) == []
    s.outbox.close()
    for name in ("work.duckdb", "outbox.sqlite"):
        shutil.copyfile(filled / name, s.folder / name)
    assert erased_but_there(s.settings, s.outbox) == ["3", CST]
    environ = {**LIVE, "LP_PIPELINE_DATA": str(s.folder)}
    answer = CliRunner().invoke(main, ["forget", "--again", "--yes"], env=environ)
    assert answer.exit_code == 0, answer.output
    assert answer.output.index("Prospect 3 is erased") < answer.output.index(f"Prospect {CST} is erased")
    assert found_in(s.folder, [*NEEDLES, "Stay3"]) == {}
    assert "Nobody who was erased" in CliRunner().invoke(main, ["forget", "--again"], env=environ).output


@pytest.mark.slow
def test_a_backup_knows_who_was_erased_and_an_older_one_does_not_forget_it(s: Deliveries, tmp_path: Path) -> None:
    """E5, K2: restored elsewhere, they stay out; from an older copy they are erased again, which `restore` says."""
    environ = {**LIVE, "LP_PIPELINE_DATA": str(s.folder), "DAGSTER_HOME": str(tmp_path)}
    older, newer = backup(s.settings, tmp_path / "older"), forget(s.settings, s.outbox, CST)
    s.outbox.close()
    assert newer[0].rows
    assert FILE not in {file.name for file in older.files}
    made = backup(s.settings, tmp_path / "newer")
    assert FILE in {file.name for file in made.files}
    answer = CliRunner().invoke(main, ["restore", str(tmp_path / "older")], env=environ)
    assert f"Erased again, because they had been since then: {CST}." in answer.output
    elsewhere = Deliveries(tmp_path / "elsewhere")
    elsewhere.outbox.close()
    Forgotten(elsewhere.folder).add([("prospect", "4")])
    restore(elsewhere.settings, tmp_path / "newer")
    assert elsewhere.read("leads", them(lead(LEAD)), other(4, city="Troy"), other(3, city="Troy")) == 1
    elsewhere.outbox.close()


@pytest.mark.slow
def test_the_command_asks_first(s: Deliveries) -> None:
    """E5: without a yes nothing happens."""
    environ = {**LIVE, "LP_PIPELINE_DATA": str(s.folder)}
    answer = CliRunner().invoke(main, ["forget", CST], input="n\n", env=environ)
    assert answer.exit_code == 1
    assert "It can't be undone" in answer.output
    assert found_in(s.folder, [CST]).keys() >= STORES


def test_every_table_with_a_prospect_in_it_is_erased_from() -> None:
    """E5: a new table of work.duckdb can't be overlooked."""
    schema = (REPOSITORY / "sql/schema/work.sql").read_text(encoding="utf-8")
    erased = (REPOSITORY / "sql/forget/work.sql").read_text(encoding="utf-8")
    tables = [
        part.split(" (")[0]
        for part in schema.split("create table if not exists ")[1:]
        if "contact" in part.split(");")[0]
    ]
    assert len(tables) > 20
    assert [table for table in tables if f"delete from {table} " not in erased and "contact_points" not in table] == []
