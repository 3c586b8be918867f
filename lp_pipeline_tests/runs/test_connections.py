"""What a run has open, and when (SPEC R2)."""

from uuid import uuid4

from lp_pipeline.runs.connections import Connections
from lp_pipeline.runs.steps import deliver_due, publish_changes, read_communications, read_feed
from lp_pipeline.transform.merge import merge, stage
from lp_pipeline_tests.account import PACE, Account
from lp_pipeline_tests.scenario import prospect


def test_the_work_file_is_open_from_step_to_step_but_not_while_anybody_is_asked(lp_account: Account) -> None:
    """R2: DuckDB's lock is for the whole file. Each time one is asked, the file is closed; in between it stays open."""
    lp_account.with_hatch()
    lp_account.lp.put(prospect("1", dateadded=lp_account.wall(hours=1), lastchanged=lp_account.wall(minutes=3)))
    asked: list[tuple[str, bool]] = []
    kept: list[bool] = []
    with Connections(str(uuid4()), lp_account.load, pace=PACE) as connections:
        warehouse = connections.warehouse
        lp_account.lp.before_request = lambda path, _fields: asked.append((path, warehouse.is_open))
        for feed in ("leads", "prospects"):
            read_feed(connections, feed, warn=ignore, info=ignore)
            kept.append(warehouse.is_open)
        stage(warehouse, connections.settings)
        assert merge(warehouse, connections.settings, connections.sync_id).inserted == 1
        kept.append(warehouse.is_open)
        assert deliver_due(connections)
        read_communications(connections)
        publish_changes(connections)
        kept.append(warehouse.is_open)
    assert not any(is_open for _, is_open in asked), asked
    assert {path.rpartition("/")[2] for path, _ in asked} >= {"token", "GetLead", "contacts", "export-data"}, asked
    assert all(kept)
    assert not warehouse.is_open


def ignore(_message: str) -> None:
    """Nobody listens."""
