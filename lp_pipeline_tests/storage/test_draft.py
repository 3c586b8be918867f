"""A published file that is brought up to date shows what one that is built anew would show (SPEC Q1)."""

import shutil
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from lp_pipeline.settings.package_data import package_data
from lp_pipeline.storage.draft import BY_CONTACT, build, draft_of
from lp_pipeline.storage.publish import Publication, note_unpublished, publish
from lp_pipeline.storage.sql import statements_from
from lp_pipeline.storage.warehouse import LARGE, Warehouse
from lp_pipeline.transform.held import settle_held
from lp_pipeline_tests.scenario import Scenario, lead, prospect

ZONE = "America/New_York"
TABLES = "select if(schema_name = 'main', '', schema_name || '.') || table_name from duckdb_tables() order by all"
MANY = [prospect(str(number), lead(str(number))) for number in range(100, 160)]


def publication(scenario: Scenario, *, compare: bool = True) -> Publication:
    """Publish now; what people see is compared with a file that is built from nothing."""
    scenario.later(hours=1)  # by the pipeline's clock the last one is more than a minute old
    found = publish(scenario.warehouse, outbox=scenario.outbox, now=scenario.now, zone=ZONE)
    if not compare:
        return found
    anew = scenario.folder / "anew.duckdb"
    anew.unlink(missing_ok=True)
    build(scenario.warehouse, scenario.outbox, anew, now=scenario.now, zone=ZONE)
    assert rows(scenario.warehouse.published) == rows(anew)
    return found


def rows(file: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every table's rows, and every comment."""
    with duckdb.connect(str(file), read_only=True) as connection:
        names = [name for (name,) in connection.execute(TABLES).fetchall()]
        comments = "select table_name, column_name, comment from duckdb_columns() order by all"
        return {
            "comments": connection.execute(comments).fetchall(),
            **{name: connection.execute(f"from {name} order by all").fetchall() for name in names},
        }


def changed(scenario: Scenario) -> None:
    scenario.sync(
        prospect(
            "100", lead("100", disposition="Sold", jobs=[{"id": "7"}]), prospect("101", lead("101", jobs=[{"id": "8"}]))
        )
    )


def added(scenario: Scenario) -> None:
    scenario.sync(
        prospect("1", lead("10", appointments=[{"id": "5"}]), calls=[{"calldatetime": "2026-03-01T10:00:00"}])
    )


def gone(scenario: Scenario) -> None:
    scenario.sync(prospect("101"))


def rejected(scenario: Scenario) -> None:
    scenario.sync(prospect("102", lead("102"), phone1=...), prospect(None, lead("7")))


def thinner(scenario: Scenario) -> None:
    scenario.sync({"cst_id": "103", "FirstName": "Anna"}, feed="prospects")


def moved(scenario: Scenario) -> None:
    scenario.sync(prospect("104", leads=[]), feed="prospects")
    scenario.sync(prospect("105", lead("105"), lead("104")))


def held(scenario: Scenario) -> None:
    scenario.set(LP_HELD_AFTER="0")
    scenario.sync(prospect("106", lead("106"), dateadded="2025-01-01T00:00:00"))


def accepted(scenario: Scenario) -> None:
    held(scenario)
    publication(scenario)
    assert settle_held(scenario.settings, "accept", []) == ["106"]


def again(scenario: Scenario) -> None:
    """Those who have jobs, appointments and calls in the file already."""
    calls = [{"calldatetime": "2026-03-01T11:00:00"}]
    scenario.sync(
        prospect("100", lead("100", disposition="Lost", jobs=[{"id": "7"}, {"id": "9"}])),
        prospect("101", lead("101", disposition="Lost", appointments=[{"id": "8"}])),
        prospect("1", lead("10", disposition="Lost", appointments=[{"id": "5"}]), calls=calls),
    )


def unmerged(scenario: Scenario) -> None:
    scenario.read("leads", prospect("107", lead("107", disposition="Set again")))
    with scenario.warehouse.connection() as connection:
        connection.execute("update pipeline.publication set unpublished_changes = true").fetchall()


@pytest.mark.parametrize("each_time", [False, pytest.param(True, marks=pytest.mark.marathon)])
def test_what_changed_is_replaced_and_the_rest_stays(scenario: Scenario, *, each_time: bool) -> None:
    """Q1: whatever happens to a few contacts, one after the other; nobody can tell how the file was made."""
    scenario.sync(*MANY)
    assert publication(scenario).rebuilt
    all_that_happens = (changed, added, again, gone, rejected, thinner, moved, accepted, unmerged)
    for happens in all_that_happens if each_time else (changed, gone, moved):
        happens(scenario)
        compare = each_time or happens is moved
        assert not publication(scenario, compare=compare).rebuilt, happens.__name__


def test_slices_of_contacts_are_the_whole(scenario: Scenario) -> None:
    """Q1: so many contacts at once that what is joined fits into memory; the file is the same."""
    scenario.sync(*MANY)
    thinner(scenario)  # its opportunity's lead comes from an older reading
    moved(scenario)
    files = [scenario.folder / f"{at_once}.duckdb" for at_once in (1000, 7)]
    for file in files:
        at_once = int(file.stem)
        build(scenario.warehouse, scenario.outbox, file, now=scenario.now, zone=ZONE, at_once=at_once)
    whole, in_slices = map(rows, files)
    assert in_slices == whole
    assert len(whole["opportunity_details"]) > len(MANY)


def sql_with(folder: Path, at_the_end_of_a_slice: str) -> Path:
    """Our SQL, with some more at the end of each slice."""
    copy = shutil.copytree(package_data("sql"), folder / "sql")
    with (copy / f"publish/{BY_CONTACT[-1]}.sql").open("a") as file:
        file.write(at_the_end_of_a_slice)
    return copy


def test_a_slice_leaves_nothing_in_memory(scenario: Scenario) -> None:
    """Q1: a publication of millions takes no more memory, or disk in its place, than one slice of them."""
    scenario.sync(*(prospect(str(number), lead(str(number)), comment="x" * 100_000) for number in range(100, 160)))
    look = """
        create table if not exists used (slice bigint, bytes bigint);
        insert into used
        select getvariable('slice'), memory_usage_bytes from duckdb_memory() where tag = 'IN_MEMORY_TABLE';
    """
    file = scenario.folder / "new.duckdb"
    with statements_from(sql_with(scenario.folder, look)):
        build(scenario.warehouse, scenario.outbox, file, now=scenario.now, zone=ZONE, at_once=5)
    with duckdb.connect(str(file), read_only=True) as connection:
        used = [each for (each,) in connection.execute("select bytes from used order by slice").fetchall()]
    assert len(used) == 12
    assert used[-1] <= used[5], used


def test_without_room_for_a_slice_all_is_built_once_more(scenario: Scenario) -> None:
    """Q1, R1: nothing of the first attempt, not even its log, gets into the second one."""
    scenario.sync(*MANY)
    whole = scenario.folder / "whole.duckdb"
    build(scenario.warehouse, scenario.outbox, whole, now=scenario.now, zone=ZONE)
    much = """
        create or replace temp table much as
        select string_agg(repeat('x', 1000000), '') from range(if(getvariable('slice') = 2, 150, 0));
    """
    with draft_of(scenario.warehouse) as file:
        with statements_from(sql_with(scenario.folder, much)):
            build(scenario.warehouse, scenario.outbox, file, now=scenario.now, zone=ZONE, at_once=20)
        assert rows(file) == rows(whole)
    assert (scenario.folder / LARGE).exists()  # it did not manage with the usual memory
    assert not list(scenario.folder.glob(".published*"))


@pytest.mark.slow
def test_it_is_built_anew_where_it_can_not_be_brought_up_to_date(scenario: Scenario) -> None:
    """Q1, R5: after a change of nearly all, and if the file is not the last publication of this warehouse."""
    scenario.sync(*MANY)
    publication(scenario)
    scenario.sync(*(prospect(str(number), lead(str(number), disposition="Sold")) for number in range(100, 150)))
    assert publication(scenario).rebuilt
    scenario.sync(prospect("100", lead("100", disposition="Lost")))
    with scenario.warehouse.connection() as connection:  # as after an older copy of the folder was restored
        connection.execute("update pipeline.publication set published_at = $1", [scenario.now - timedelta(days=1)])
    assert publication(scenario).rebuilt


@pytest.mark.slow
def test_killed_between_the_file_and_its_note_it_is_built_anew(scenario: Scenario) -> None:
    """R1: the file is newer than what the warehouse remembers of it."""
    scenario.sync(*MANY)
    publication(scenario)
    changed(scenario)
    with scenario.warehouse.connection() as connection:
        remembered = connection.execute("from pipeline.publication").fetchall()
        contacts = connection.execute("from pipeline.unpublished_contacts").fetchall()
    publication(scenario)
    with scenario.warehouse.connection() as connection:
        connection.execute("delete from pipeline.publication").fetchall()
        connection.execute("insert into pipeline.publication values ($1, $2, $3)", remembered[0]).fetchall()
        connection.executemany("insert into pipeline.unpublished_contacts values ($1)", contacts)
    assert publication(scenario).rebuilt


@pytest.mark.slow
def test_rows_that_were_taken_out_leave_no_old_row_twice_and_no_new_one_out(tmp_path: Path) -> None:
    """Q1: histories take over what was added since by its place, and places have gaps once `forget` or the removal of
    old windows took rows out: the next publication builds anew, the one after that counts from there."""
    scenario = Scenario(tmp_path)
    scenario.sync(*MANY)
    publication(scenario)
    with scenario.warehouse.transaction() as connection:
        connection.execute("delete from opportunity_changes where external_contact_id in ('100', '120', '159')")
        connection.execute("insert into pipeline.unpublished_contacts values (null)")
    assert publication(scenario).rebuilt
    kept = Warehouse(scenario.folder, keeps_open=True)  # as in a run: closing the file would number its rows anew
    with kept.transaction() as connection:
        connection.execute("insert into opportunity_changes by name select '101' as external_contact_id")
        note_unpublished(connection)
        ((gap,),) = connection.execute("select max(rowid) + 1 - count(*) from opportunity_changes").fetchall()
    assert gap
    scenario.later(hours=1)
    assert not publish(kept, outbox=scenario.outbox, now=scenario.now, zone=ZONE).rebuilt
    kept.let_go()
    changed(scenario)
    assert not publication(scenario).rebuilt


def test_rows_that_were_taken_out_unannounced_are_noticed(scenario: Scenario) -> None:
    """Q1: whatever took them out, histories have as many rows as the warehouse's, or the copy is built anew."""
    scenario.sync(*MANY)
    publication(scenario)
    with scenario.warehouse.transaction() as connection:
        connection.execute("delete from opportunity_changes where external_contact_id in ('100', '120')")
    changed(scenario)
    assert publication(scenario).rebuilt
