"""The sync job as Dagster runs it, against a LeadPerfection on loopback: what is published and what fails."""

import dagster as dg
import duckdb
import pytest

from lp_pipeline.storage import publish
from lp_pipeline_tests.account import Account, failures
from lp_pipeline_tests.scenario import lead, prospect


def fill(account: Account, *cst_ids: str) -> None:
    stamp = account.wall(minutes=5)
    for cst_id in cst_ids:
        account.lp.put(
            prospect(cst_id, lead(f"{cst_id}0", lastchangedon=stamp, calls=[]), lastchanged=stamp, notes="private")
        )


def metadata(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, object]:
    (event,) = result.asset_materializations_for_node(asset)
    return {name: value.value for name, value in event.metadata.items()}


def rows(result: dg.ExecuteInProcessResult, asset: str, name: str) -> list[dict[str, object]]:
    """The rows of a table in an asset's metadata."""
    (event,) = result.asset_materializations_for_node(asset)
    shown = event.metadata[name]
    assert isinstance(shown, dg.TableMetadataValue)
    return [dict(row.data) for row in shown.records]


def test_a_sync_reads_merges_and_publishes(lp_account: Account) -> None:
    """The job's assets carry a change from LeadPerfection to the file that people query, and report their numbers."""
    fill(lp_account, "1", "2")
    result = lp_account.run()
    assert result.success
    assert lp_account.published("select external_contact_id, external_id from opportunities order by 1") == [
        ("1", "10"),
        ("2", "20"),
    ]
    merged = metadata(result, "opportunities")
    assert list(merged)[:3] == ["opportunities", "changes (first load)", "rejected records"]
    assert (merged["opportunities"], merged["changes (first load)"], merged["rejected records"]) == (2, 2, 0)
    assert {"outcome": "inserted", "records": 2} in rows(result, "opportunities", "outcomes")
    assert rows(result, "opportunities", "examples") == [
        {"outcome": "inserted", "contact": contact, "lead": f"{contact}0", "status": "Set", "changed_columns": ""}
        for contact in ("1", "2")
    ]
    by_status = rows(result, "published", "opportunities by status")
    assert by_status == [{"status": "Set", "opportunities": 2, "gone": 0}]
    read = metadata(result, "raw_leads")
    assert (read["readings (first load)"], read["new readings (first load)"], read["pages"]) == (2, 2, 2)
    assert rows(result, "staged_opportunities", "why triggered") == [
        {"reason": "stamped inside the window", "triggered": 2}
    ]


@pytest.mark.slow
def test_a_run_shows_which_columns_rejected_records_lack(lp_account: Account) -> None:
    """J7, R4: as a table of names and numbers, the most frequent first; nobody's data."""
    stamp = lp_account.wall(minutes=5)
    for cst_id, absent in (("1", {}), ("2", {"phone1": ...}), ("3", {"phone1": ..., "email": ...})):
        lp_account.lp.put(prospect(cst_id, lead(f"{cst_id}0", lastchangedon=stamp), lastchanged=stamp, **absent))
    assert rows(lp_account.run(), "opportunities", "rejected by missing column") == [
        {"column_name": "phone", "records": 2},
        {"column_name": "email", "records": 1},
    ]


def test_a_sync_that_finds_nothing_new_changes_and_publishes_nothing(lp_account: Account) -> None:
    """Q1, M3: only the ledger and the watermarks change, and nothing is published until an hour has passed."""
    fill(lp_account, "1")
    lp_account.run()
    before = {table: lp_account.ask(f"from {table}") for table in UNTOUCHED}
    published = (lp_account.folder / "published.duckdb").stat().st_mtime_ns
    lp_account.later()
    result = lp_account.run()
    assert metadata(result, "published")["published"] is False
    assert list(metadata(result, "opportunities"))[:3] == ["opportunities", "changes", "rejected records"]
    assert list(metadata(result, "raw_leads"))[:3] == ["readings", "new readings", "pages"]
    assert {table: lp_account.ask(f"from {table}") for table in UNTOUCHED} == before
    assert (lp_account.folder / "published.duckdb").stat().st_mtime_ns == published
    lp_account.later(hours=1)
    assert metadata(lp_account.run(), "published")["published"] is True


UNTOUCHED = (
    "raw.readings",
    "pipeline.last_readings",
    "opportunities",
    "opportunity_changes",
    "rejected_records",
    "calls",
    "staged_opportunities",
    "pipeline.merged",
    "pipeline.unmerged",
    "pipeline.merges",
    "pipeline.publication",
    "pipeline.older_keys",
    "pipeline.lead_listings",
)


def test_nobody_is_published_to_more_than_once_a_minute() -> None:
    """Q1: a publication waits until the last one is a minute old, by whichever clock moves."""
    waits = publish.wait_before(real_age=12.0, pipeline_age=0.0), publish.wait_before(12.0, 900.0)
    assert waits == (48.0, 0.0)
    assert publish.wait_before(61.0, 0.0) == 0.0


@pytest.mark.slow
def test_a_feed_that_fails_does_not_hold_up_the_other(lp_account: Account) -> None:
    """W8: what was read is merged and published, the run ends as failed and names the feed, the next one makes up."""
    fill(lp_account, "1")
    lp_account.lp.fault("result0", path="GetLead", message="Error: Ann Field is locked")
    result = lp_account.run()
    assert not result.success
    (message,) = failures(result)
    assert message.startswith("The leads feed was not read")
    assert lp_account.published("select external_contact_id, combination from opportunities") == [("1", "prospect")]
    assert "Ann Field" not in message
    ((words,),) = lp_account.published("select error from sync_runs where outcome = 'failed'")
    assert "Error: Ann Field is locked" in words
    lp_account.later()
    assert lp_account.run().success
    assert lp_account.published("select combination from opportunities") == [("lead+prospect",)]


@pytest.mark.slow
def test_what_one_run_stored_a_later_run_merges(lp_account: Account) -> None:
    """W8: `--select raw_leads` now and the rest an hour later loses nothing."""
    fill(lp_account, "1")
    assert lp_account.run(select=["raw_leads"]).success
    lp_account.later(hours=1)
    fill(lp_account, "2")
    assert lp_account.run(select=["staged_opportunities", "opportunities", "published"]).success
    assert lp_account.published("select external_id from opportunities") == [("10",)]
    lp_account.later(minutes=5)
    result = lp_account.run()
    assert result.success
    assert len(lp_account.published("from opportunities")) == 2
    shown = metadata(result, "published")  # E6: of the second one, for the first one came with the very first sync
    assert shown["speed to lead, this sync: p50 (minutes)"] == shown["speed to lead, all syncs: p95 (minutes)"] == 10.0


def test_a_single_asset_that_fails_fails_its_run(lp_account: Account) -> None:
    """W7, W8: materializing one raw asset alone is a sync too, and it does not hide its failure."""
    lp_account.lp.fault("result0", path="GetLead")
    result = lp_account.run(select=["raw_leads"])
    assert not result.success


@pytest.mark.slow
@pytest.mark.slow
def test_an_analysts_open_connection_stops_nothing(lp_account: Account) -> None:
    """R2: a query never stops a sync, a sync never stops a query."""
    fill(lp_account, "1")
    lp_account.run()
    with duckdb.connect(str(lp_account.folder / "published.duckdb"), read_only=True) as analyst:
        lp_account.later()
        fill(lp_account, "2")
        assert lp_account.run().success
        assert analyst.execute("select count(*) from opportunities").fetchall() == [(1,)]
    assert len(lp_account.published("from opportunities")) == 2


@pytest.mark.slow
@pytest.mark.slow
def test_a_batch_that_is_no_batch_of_prospects_is_not_merged(lp_account: Account) -> None:
    """Blocking check: when all records lack an id, LP's format has changed; nothing is merged or lost."""
    stamp = lp_account.wall(minutes=5)
    for number in range(30):
        lp_account.lp.put(prospect(f"X{number}", lastchanged=stamp))
    lp_account.lp.switch(key_case="upper")
    fill(lp_account, "1")
    assert lp_account.run().success
    lp_account.later()
    with lp_account.connections() as connections, connections.warehouse.transaction() as connection:
        connection.execute("update raw.readings set external_contact_id = null")
        connection.execute(
            "insert into pipeline.unmerged select 1000 + row_number() over (), feed, contact_key, reading_no, read_at, "
            "null, null, false from raw.readings"
        )
    result = lp_account.run()
    assert not result.success
    assert lp_account.ask("select count(*) from pipeline.unmerged")[0][0] > 0


def test_everything_published_is_explained(lp_account: Account) -> None:
    """Q2: every table, view and column carries a comment."""
    fill(lp_account, "1")
    lp_account.run()
    bare = (
        "select table_name, column_name from duckdb_columns() where comment is null and not internal "
        "union all select view_name, null from duckdb_views() where comment is null and not internal "
        "union all select table_name, null from duckdb_tables() where comment is null and not internal"
    )
    assert lp_account.published(bare) == []


def test_files_are_readable_by_their_owner_only(lp_account: Account) -> None:
    """R4: nobody else can read LeadPerfection's data."""
    fill(lp_account, "1")
    lp_account.run()
    files = [path for path in lp_account.folder.iterdir() if not path.is_symlink()]
    assert {path.name: oct(path.stat().st_mode & 0o077) for path in files} == {path.name: "0o0" for path in files}
    assert oct(lp_account.folder.stat().st_mode & 0o777) == "0o700"


@pytest.mark.slow
def test_a_record_that_is_rejected_again_is_published_as_such(lp_account: Account) -> None:
    """J7, Q1: its attempts and the time of the last one, although LeadPerfection shows nothing new."""
    lp_account.lp.put(prospect("1", email=..., lastchanged=lp_account.wall(minutes=1)))
    for attempts in (1, 2):
        assert lp_account.run().success
        query = "select attempts, last_rejected_at from rejected_records"
        assert lp_account.published(query) == lp_account.ask(query)
        assert lp_account.published(query)[0][0] == attempts
        lp_account.later()


@pytest.mark.slow
def test_a_report_that_can_not_be_written_is_a_warning(lp_account: Account) -> None:
    """E8: all else of the sync is done; the check says so, the asset says why, and the next one writes it."""
    file = lp_account.folder / "report.html"
    (file / "somebody's").mkdir(parents=True)
    fill(lp_account, "1")
    result = lp_account.run()
    assert result.success
    (check,) = (each for each in result.get_asset_check_evaluations() if each.check_name == "report_is_current")
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert str(metadata(result, "report")["problem"]).startswith(f"Could not write {file}")
    file.rename(lp_account.folder / "moved")
    result = lp_account.run(select=["report"])
    assert metadata(result, "report")["written"] is True
    assert "1 new lead" in file.read_text(encoding="utf-8")
