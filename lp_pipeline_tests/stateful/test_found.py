"""Histories that once ended wrong, as the random ones of test_whole_pipeline.py found them."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from lp_pipeline_tests.scenario import lead, prospect
from lp_pipeline_tests.stateful.edits import Edit
from lp_pipeline_tests.stateful.test_whole_pipeline import AnyHistory


@pytest.fixture
def history() -> Iterator[AnyHistory]:
    """A history that has begun; it ends with LP at rest, and everything compared."""
    machine = AnyHistory()
    machine.begin(order="cst_id", paging="page")
    yield machine
    machine.teardown()


@pytest.mark.slow
def test_a_rejected_record_that_a_sweep_shows_unchanged_is_judged_and_merged_there(history: AnyHistory) -> None:
    """J7, W8: nothing is left to the next sync."""
    history.account.lp.put(prospect("1", dateadded="2025-12-20T10:12:44", lastchanged=""))
    history.people.apply(Edit("own", "1", "2", 3, 0, stamp=False))
    history.sweep(full=True, calls="600", busy=False)
    history.sweep(full=True, calls="600", busy=False)
    assert history.account.ask("from pipeline.unmerged") == []


@pytest.mark.slow
def test_a_lead_older_than_every_prospect_is_swept(history: AnyHistory) -> None:
    """S1: an edit without a stamp arrives, 40 days after its lead was last active."""
    now = history.people.now()
    old = lead("500", dateentered="2025-11-20T12:00:00", lastchangedon=now)
    history.account.lp.put(prospect("1", old, dateadded="2025-12-20T10:12:44", lastchanged=now))
    history.people.apply(Edit("own", "1", "2", 3, 0, stamp=True))
    history.sync_again()
    history.account.now += timedelta(days=40)
    history.people.apply(Edit("lead", "1", "2", 0, 6, stamp=False))


@pytest.mark.slow
@pytest.mark.slow
def test_a_full_sweep_reads_leads_older_than_all_that_was_known_when_it_began(history: AnyHistory) -> None:
    """S1, M6: of a prospect whose leads moved away, the prospect feed shows a new, unstamped lead during the sweep."""
    history.people.apply(Edit("create", "3", "3", 2, 1, stamp=True))
    history.people.apply(Edit("create", "1", "1", 0, 1, stamp=True))
    history.sync_again()
    history.people.apply(Edit("merge", "3", "1", 0, 0, stamp=False))
    history.people.apply(Edit("add", "3", "3", 0, 21, stamp=False))
    history.sweep(full=True, calls="600", busy=False)
    query = "select gone_since is not null from opportunities where external_contact_id = '3' order by external_id"
    assert history.account.ask(query) == [(True,), (True,), (False,)]


@pytest.mark.slow
def test_a_prospect_whose_last_lead_moved_to_another_is_gone(history: AnyHistory) -> None:
    """M6: the lead feed shows it no more; that it has no leads is what the prospect feed says."""
    history.people.apply(Edit("create", "1", "1", 1, 1, stamp=True))
    history.people.apply(Edit("create", "2", "2", 1, 1, stamp=True))
    history.sync_again()
    history.people.apply(Edit("move", "1", "2", 0, 0, stamp=True))
    history.sync_again()
    history.sweep(full=True, calls="600", busy=False)
    query = "select gone_since is not null from opportunities where external_contact_id = '1'"
    assert history.account.ask(query) == [(True,)]
