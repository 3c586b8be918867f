"""SPEC Q2, E9: `sql/analysis/` holds questions that the published file answers: with these numbers for hand-made rows
(`analysis_rows.sql`), the same in every session's time zone, and on the sandbox."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import pytest

from lp_pipeline.runs.backfill import backfill
from lp_pipeline.runs.connections import Connections
from lp_pipeline.runs.steps import publish_changes
from lp_pipeline.settings import REPOSITORY, Settings, load_settings
from lp_pipeline.storage.published import open_published
from lp_pipeline.storage.sql import statement
from lp_pipeline.storage.warehouse import set_variables
from lp_pipeline_tests.account import PACE
from lp_pipeline_tests.first_sync import first_sync
from lp_pipeline_tests.scenario import NOON

QUESTIONS = sorted(path.stem for path in (REPOSITORY / "sql" / "analysis").glob("*.sql"))
ZONES = ("UTC", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati")
Rows = list[tuple[Any, ...]]

ANSWERS: list[tuple[str, dict[str, str], Rows]] = [
    ("speed_to_lead_by_source", {}, [("Internet", 2, 7.0, 9.7, 50.0, 100.0), ("TV", 1, 6.0, 6.0, 0.0, 100.0)]),
    (
        "speed_to_lead_by_source",
        {"days": "1000"},
        [
            ("Internet", 2, 7.0, 9.7, 50.0, 100.0),
            ("(none)", 1, 120.0, 120.0, 0.0, 0.0),
            ("TV", 1, 6.0, 6.0, 0.0, 100.0),
        ],
    ),
    (
        "speed_to_lead_by_sync",
        {"syncs": "2"},
        [
            (9, datetime(2026, 3, 2, 11, 40), 1, 10.0, 10.0, 10.0),
            (8, datetime(2026, 3, 1, 23, 34), 2, 5.0, 5.9, 6.0),
        ],
    ),
    # lead 1 got a text after 3 minutes, lead 2 after 10, lead 7 an e-mail after 5; lead 3 a call after 37 hours, lead 4
    # after 30 minutes
    (
        "first_response_by_source",
        {},
        [
            ("Internet", 3, 3, 5.0, 66.7, 100.0, 100.0),
            ("TV", 2, 2, 1125.0, 0.0, 50.0, 50.0),
        ],
    ),
    ("leads_without_response", {}, [("3", "30", "TV", "New", datetime(2026, 2, 28, 20), 40)]),
    ("leads_without_response", {"hours": "38"}, []),
    (
        "set_rate_by_weekday_and_hour",
        {},
        [
            ("Monday", 10, 1, 1, 100.0),
            ("Monday", 11, 1, 1, 100.0),
            ("Friday", 9, 1, 1, 100.0),
            ("Saturday", 9, 1, 1, 100.0),
            ("Saturday", 20, 1, 0, 0.0),
            ("Sunday", 10, 1, 0, 0.0),
            ("Sunday", 23, 1, 1, 100.0),
        ],
    ),
    ("set_rate_by_weekday_and_hour", {"days": "1"}, [("Monday", 11, 1, 1, 100.0), ("Sunday", 23, 1, 1, 100.0)]),
    (
        "stale_opportunities",
        {},
        [
            ("6", "60", "No Answer", None, None, datetime(2025, 6, 2, 8), 273),
            ("5", "50", "Sit No Sale", "TV", "Ray, Lee", datetime(2026, 1, 10, 11), 51),
        ],
    ),
    (
        "stale_opportunities",
        {"days": "5", "closed": "no answer, Sit No Sale"},
        [
            ("4", "40", "Canceled", "TV", "Ray, Lee", datetime(2026, 2, 20, 10), 10),
        ],
    ),
    ("duplicates_by_phone", {}, [("5185550101", 2, ["1", "2"], 1)]),
    ("duplicates_by_phone", {"contacts": "3"}, []),
    (
        "results_by_sales_rep",
        {},
        [
            ("Doe, Pat", 3, 2, 2, 1, 50.0, Decimal("20000.00"), 20000.0),
            ("(none)", 2, 0, 0, 0, None, None, None),
            ("Ray, Lee", 2, 2, 1, 0, 0.0, None, None),
        ],
    ),
    (
        "sit_and_close_rate_by_source",
        {},
        [
            ("Internet", 3, 2, 2, 1, 100.0, 50.0),
            ("TV", 3, 2, 1, 0, 50.0, 0.0),
            ("(none)", 1, 0, 0, 0, None, None),
        ],
    ),
    (
        "sit_and_close_rate_by_source",
        {"sat": "canc", "days": "30"},
        [
            ("Internet", 3, 2, 1, 1, 50.0, 100.0),
            ("TV", 2, 1, 1, 0, 100.0, 0.0),
        ],
    ),
    (
        "call_results_after_texts",
        {},
        [
            ("Left Message", 0, 1, 0.0, 50.0),
            ("No Answer", 1, 0, 100.0, 0.0),
            ("SET", 0, 1, 0.0, 50.0),
        ],
    ),
    ("replies_to_messages", {}, [("(nobody yet)", 1, None, 0.0), ("Ray, Lee", 1, 10.0, 100.0)]),
    (
        "refused_by_hatch",
        {},
        [
            ("refused", 422, "/email", "is invalid", 1, datetime(2026, 2, 28, 23, 30), ["3"]),
            ("unreachable", None, None, None, 1, datetime(2026, 1, 10, 11), ["5"]),
        ],
    ),
    (
        "not_written_to_leadperfection",
        {},
        [
            ("call_log", "skipped", "switched_off", None, 1, datetime(2026, 3, 1, 23, 33), ["c1"]),
            ("note", "uncertain", "unknown", None, 1, datetime(2026, 2, 28, 9, 10), ["c4"]),
            ("note", "unmatched", "none", None, 1, datetime(2026, 3, 2, 11), ["c5"]),
        ],
    ),
    (
        "new_leads_by_day",
        {},
        [
            (date(2026, 3, 2), "Monday", 1, 1, 0, 100.0),
            (date(2026, 3, 1), "Sunday", 1, 1, 1, 100.0),
            (date(2026, 2, 28), "Saturday", 2, 1, 0, 50.0),
            (date(2026, 2, 20), "Friday", 1, 1, 0, 100.0),
        ],
    ),
    (
        "sales_by_month",
        {},
        [
            ("2026-03", 1, Decimal("20000.00"), 20000.0, 1.0),
            ("2026-02", 1, Decimal("10000.00"), 10000.0, None),
        ],
    ),
    ("sales_by_month", {"months": "1"}, [("2026-03", 1, Decimal("20000.00"), 20000.0, 1.0)]),
    ("jobs_by_status", {}, [("Measured", 1, Decimal("10000.00"), 20.0), ("New", 1, Decimal("20000.00"), 0.0)]),
    (
        "appointments_ahead",
        {},
        [
            (datetime(2026, 3, 3, 9), "Issued", "Doe, Pat", "Internet", "Albany", "7", "70"),
        ],
    ),
    ("status_changes", {}, [("Set", "Not Interested", 1, 1), ("Set", "Sold", 1, 1)]),
    ("status_changes", {"days": "1"}, [("Set", "Sold", 1, 1)]),
    (
        "leads_to_rehash",
        {},
        [
            ("5", "50", "TV", "Ray, Lee", "Sit No Sale", datetime(2026, 1, 10, 10), 51),
        ],
    ),
    (
        "leads_to_rehash",
        {"from_days": "1", "to_days": "50"},
        [
            ("2", "20", "Internet", "Doe, Pat", "Not Interested", datetime(2026, 3, 1, 14), 1),
        ],
    ),
    ("messages_by_day", {"days": "2"}, [(date(2026, 3, 2), 0, 1, 1, 0, 2), (date(2026, 3, 1), 2, 1, 0, 0, 1)]),
    (
        "leads_by_source",
        {},
        [
            ("Internet", 3, 3, 1, 33.3, Decimal("20000.00")),
            ("TV", 3, 2, 0, 0.0, None),
        ],
    ),
    (
        "updates_by_day",
        {},
        [
            (date(2026, 3, 2), 1, 0),
            (date(2026, 3, 1), 2, 1),
            (date(2026, 2, 28), 1, 0),
            (date(2026, 2, 20), 1, 0),
            (date(2026, 1, 10), 1, 0),
            (date(2025, 6, 2), 1, 0),
        ],
    ),
    (
        "what_changed_today",
        {},
        [
            ("new opportunity", 1, 1, datetime(2026, 3, 2, 11, 45)),
            ("status", 1, 1, datetime(2026, 3, 1, 21, 45)),
        ],
    ),
    ("why_rejected", {}, [("email", "prospect", 1, datetime(2026, 3, 1, 23, 45), ["8"])]),
]


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[duckdb.DuckDBPyConnection]]:
    """The same published file, as sessions in different time zones see it."""
    file = tmp_path_factory.mktemp("published") / "published.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("set timezone = 'UTC'")
        for text in (statement("publish/tables"), statement("publish/views")):
            connection.execute(text)
        connection.execute(Path(__file__).with_name("analysis_rows.sql").read_text())
    opened = [duckdb.connect(str(file), read_only=True).cursor() for _ in ZONES]
    for session, zone in zip(opened, ZONES, strict=True):
        session.execute("set timezone = $zone", {"zone": zone})
    yield opened
    for session in opened:
        session.close()


def answer(session: duckdb.DuckDBPyConnection, question: str, parameters: dict[str, str]) -> Rows:
    set_variables(session, parameters)
    rows = session.execute(statement(f"analysis/{question}")).fetchall()
    for name in parameters:
        session.execute(f"reset variable {name}")
    return rows


@pytest.mark.parametrize(("question", "parameters", "rows"), ANSWERS, ids=lambda value: value or "")
def test_hand_made_rows_prove_the_numbers(
    sessions: list[duckdb.DuckDBPyConnection], question: str, parameters: dict[str, str], rows: Rows
) -> None:
    """Q2: each question counts what it says, with its parameters."""
    assert answer(sessions[0], question, parameters) == rows


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_ready_made_question_has_one_answer(sessions: list[duckdb.DuckDBPyConnection], question: str) -> None:
    """Q2: an analyst in New York and a report in UTC show the same days, times and counts."""
    query = statement(f"analysis/{question}").rstrip().rstrip(";")
    first, *others = (session.execute(f"select columns(*)::varchar from ({query})").fetchall() for session in sessions)
    assert first
    assert others == [first] * len(others)


def test_every_question_that_counts_is_proven() -> None:
    """Q2: a new question needs rows that prove it; these two only show rows as they are."""
    assert set(QUESTIONS) - {question for question, _, _ in ANSWERS} == {"one_contact", "how_fresh"}


def test_without_a_conversion_they_would_differ(sessions: list[duckdb.DuckDBPyConnection]) -> None:
    """The days of these records are not the same everywhere, nor is a time that is shown as it is."""
    for query in (
        "select external_updated_at::date::varchar from opportunities order by all",
        "select max(external_updated_at)::varchar from opportunities",
    ):
        assert len({str(session.execute(query).fetchall()) for session in sessions}) > 2


@pytest.mark.slow
def test_each_question_finds_something_on_the_sandbox(tmp_path: Path) -> None:
    """E9: after one sync and a backfill of the sandbox's past, in which nothing was refused or changed its status, and
    nobody waited for what the first sync brought."""
    quickly = {"LP_PIECE_HOURS": "8000", "LP_RATE_PER_MINUTE": "6000"}

    def load() -> Settings:
        return load_settings({"LP_PIPELINE_DATA": str(tmp_path), "LP_PIPELINE_NOW": NOON.isoformat(), **quickly})

    published = first_sync(tmp_path, **quickly)
    with Connections(str(uuid4()), load, pace=PACE) as connections:
        backfill(connections, date(2024, 3, 1), NOON.date(), warn=print, info=lambda _: None)
        published.unlink(missing_ok=True)
        publish_changes(connections)
    with open_published(published) as connection:
        empty = {
            question for question in QUESTIONS if not connection.execute(statement(f"analysis/{question}")).fetchall()
        }
    timed = {"speed_to_lead_by_source", "speed_to_lead_by_sync"}
    assert empty == {"refused_by_hatch", "status_changes", "why_rejected", *timed}
