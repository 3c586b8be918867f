"""SPEC D1: before anything goes to Hatch, `deliver --dry-run` shows how much would, and what, word for word."""

import json
import re
from datetime import timedelta
from pathlib import Path

from click.testing import CliRunner

from lp_pipeline.cli.main import main
from lp_pipeline.delivery import ask_for
from lp_pipeline.delivery.dry_run import as_pages, dry_run
from lp_pipeline_tests.delivery.conftest import Deliveries
from lp_pipeline_tests.delivery.test_what_is_delivered import three
from lp_pipeline_tests.scenario import LIVE, lead, prospect


def planned(deliveries: Deliveries) -> tuple[str, list[object]]:
    """The summary, and the bodies in the order in which they are shown."""
    since = deliveries.settings.now() - timedelta(days=30)
    pages = list(
        as_pages(dry_run(deliveries.warehouse, deliveries.outbox, deliveries.settings, since), "hatch.example")
    )
    shown = "".join(pages)
    bodies = re.findall(r"^\{$.*?^\}$", shown, re.MULTILINE | re.DOTALL)
    return shown.partition("\n\n")[0], [json.loads(each) for each in bodies]


def test_it_shows_word_for_word_what_is_then_sent(deliveries: Deliveries) -> None:
    """The same bodies in the same order, a contact's current one last; nothing is queued, sent or written meanwhile."""
    deliveries.key(False)
    deliveries.sync(prospect("1", *three()), prospect("2", lead("40"), phone1="none", email=""), minutes=600)
    deliveries.key(True)
    before = deliveries.due(), deliveries.ask("from pipeline.due_deliveries")
    summary, bodies = planned(deliveries)
    assert deliveries.hatch.requests == []
    assert (deliveries.due(), deliveries.ask("from pipeline.due_deliveries")) == before
    assert deliveries.ledger("state") == []
    assert summary.startswith("To Hatch (hatch.example): 3 opportunities of 1 contact: 3 new there, 0 changed.")
    assert "neither a valid phone number nor an email: 1" in summary
    ask_for(deliveries.warehouse, deliveries.settings, deliveries.settings.now() - timedelta(days=30), 1)
    assert deliveries.deliver().delivered == 3
    assert deliveries.bodies() == bodies


def test_what_hatch_has_is_only_counted(deliveries: Deliveries) -> None:
    """D3: the same content is not sent again; a change is told from a new one."""
    deliveries.sync(prospect("1", lead("10")), prospect("2", lead("20")))
    deliveries.deliver()
    deliveries.later()
    deliveries.sync(prospect("2", lead("20", disposition="Sold"), email="nobody"))
    summary, bodies = planned(deliveries)
    assert "1 opportunity of 1 contact: 0 new there, 1 changed." in summary
    assert "Not sent, for Hatch has or refused them as they are: 1" in summary
    assert "Sent without the email, which is not an address: 1" in summary
    assert [body["externalID"] for body in bodies if isinstance(body, dict)] == ["20"]


def test_it_needs_no_key(tmp_path: Path) -> None:
    """One can look before there is a Hatch; a folder without data says what to run first, and stays without any."""
    environ = {**LIVE, "LP_PIPELINE_DATA": str(tmp_path)}
    command = ["deliver", "--since", "2026-01-01", "--dry-run"]
    result = CliRunner(env=environ).invoke(main, command)
    assert (result.exit_code, "lp-pipeline backfill" in result.output) == (0, True), result.output
    assert list(tmp_path.iterdir()) == []
    with_data = Deliveries(tmp_path)
    with_data.sync(prospect("1", lead("10")))
    with_data.outbox.close()
    result = CliRunner(env=environ).invoke(main, command)
    assert "To Hatch (api.usehatchapp.com): 1 opportunity of 1 contact" in result.output
    assert '"source": "(HATCH_SOURCE is not set)"' in result.output
