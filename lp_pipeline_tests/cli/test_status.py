"""`lp-pipeline status` as people and programs read it (SPEC E7)."""

import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result

from lp_pipeline.cli.main import main
from lp_pipeline.runs.journal import Ending, Kind, Outcome, recorded
from lp_pipeline.runs.steps import publish_changes, read_feed
from lp_pipeline.storage.locks import Turn
from lp_pipeline.transform.merge import merge, stage
from lp_pipeline_tests.account import Account
from lp_pipeline_tests.account import account as an_account
from lp_pipeline_tests.runs.past import person


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account after one good sync of one prospect."""
    with an_account(tmp_path_factory.mktemp("status")) as opened:
        opened.lp.put(person(opened, "1"))
        with opened.connections() as connections, recorded(connections, "sync", lambda: Ending("good")):
            for feed in ("leads", "prospects"):
                read_feed(connections, feed, warn=print, info=print)
            stage(connections.warehouse, connections.settings)
            merge(connections.warehouse, connections.settings, connections.sync_id)
            publish_changes(connections)
        yield opened


def typed(account: Account, *words: str, **other: str) -> Result:
    environ = {**account.environ, "LP_PIPELINE_NOW": account.now.isoformat(), **other}
    return CliRunner(env=environ).invoke(main, words)


def end(account: Account, outcome: Outcome, message: str | None = None, kind: Kind = "sync") -> None:
    with account.connections() as connections, recorded(connections, kind, lambda: Ending(outcome, message)):
        pass


def test_the_verdict_comes_first_and_the_facts_follow(synced: Account) -> None:
    """E7: LIVE or SANDBOX with the account and its zone, OK, and then each fact in a line; exit code 0. It needs no
    turn: a sync may be running."""
    with Turn(synced.folder):
        shown = typed(synced, "status")
    lines = shown.output.splitlines()
    assert (shown.exit_code, lines[0].split()[0], lines[0].split()[-1]) == (0, "LIVE", "OK")
    assert "sandbox at 127.0.0.1 (America/New_York)" in lines[0]
    assert [line[:12].strip() for line in lines[1:]] == [
        *("Last sync", "Read up to", "Published", "To Hatch", "From Hatch", "For you", "Alerts"),
    ]
    assert "1 lead, 1 prospect; 1 new, 0 updated opportunities" in lines[1]
    assert "12:00 PM EST" in lines[2]
    assert lines[3].endswith("just now, 1 opportunity")
    assert lines[6].endswith("nothing waits")


def test_what_is_wrong_comes_before_the_facts(synced: Account) -> None:
    """E7: since when, how often, why, what to do, and that nothing is lost; exit code 1. A message is shown once."""
    synced.later()
    end(synced, "failed", "LeadPerfection refuses the sign-in. Check LP_PASSWORD.")
    end(synced, "failed", "LeadPerfection refuses the sign-in. Check LP_PASSWORD.")
    end(synced, "failed", "Too many calls.", kind="sweep")
    shown = typed(synced, "status")
    lines = shown.output.splitlines()
    assert (shown.exit_code, lines[0].split()[-1]) == (1, "FAILING")
    assert lines[1] == "Since 12:15 PM EST (2 runs): LeadPerfection refuses the sign-in. Check LP_PASSWORD."
    assert "lp-pipeline doctor" in lines[2]
    assert lines[3] == "Nothing is lost: the next good sync reads everything since 12:00 PM EST."
    assert lines[5].endswith("failed just now; the last good one 12:00 PM EST")
    assert lines[-2].endswith("the last sweep failed: Too many calls:  lp-pipeline sweep")
    end(synced, "good")
    end(synced, "good", kind="sweep")
    assert typed(synced, "status").exit_code == 0


def test_programs_read_it_as_json(synced: Account) -> None:
    """E7: the verdict, the facts and what waits; the same exit code; also where even the folder is unknown."""
    found = json.loads(typed(synced, "status", "--json").output)
    assert (found["state"], found["account"], found["sandbox"]) == ("OK", "sandbox", False)
    assert found["facts"]["opportunities"] == 1
    assert found["watermarks"]["leads"]
    assert found["waiting"] == []
    late = typed(synced, "status", "--json", ALERT_LATE_MINUTES="1", LP_PIPELINE_NOW="2026-03-03T12:00:00Z")
    assert (late.exit_code, json.loads(late.output)["state"]) == (1, "FAILING")
    wrong = typed(synced, "status", "--json", LP_API_URL="nowhere")
    assert (wrong.exit_code, json.loads(wrong.output)["state"]) == (1, "FAILING")
    assert "LP_API_URL" in json.loads(wrong.output)["why"]


def test_what_is_held_is_listed_for_programs_too(synced: Account) -> None:
    """E3, M9: as JSON or CSV, as `pushes` and `ask` do."""
    assert json.loads(typed(synced, "held", "--json").output) == []
    assert typed(synced, "held", "--csv").output.startswith("external_contact_id,external_id,known_as")
