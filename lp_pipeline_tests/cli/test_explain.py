"""`lp-pipeline explain` as its users type it, against a LeadPerfection of its own."""

import json

import pytest
from click.testing import CliRunner, Result

from lp_pipeline.cli.main import main
from lp_pipeline_tests.account import Account
from lp_pipeline_tests.runs.past import day, person


def typed(account: Account, *arguments: str) -> Result:
    """The command, with the account's settings and clock."""
    environ = {**account.environ, "LP_PIPELINE_NOW": account.now.isoformat()}
    return CliRunner().invoke(main, ["explain", *arguments], env=environ)


@pytest.mark.slow
def test_leadperfection_is_asked_about_what_was_never_read(lp_account: Account) -> None:
    """E1: a prospect and a lead that changed before the first window, by their ids; `--json` for scripts."""
    lp_account.lp.put(person(lp_account, "1"))
    lp_account.lp.put(person(lp_account, "2", stamp=day(20)))
    lp_account.sync()
    lp_account.publish()
    assert "never read" in typed(lp_account, "2").output
    for identity, kind in (("2", "prospect"), ("20", "lead")):
        shown = typed(lp_account, identity, "--ask").output
        assert f"LeadPerfection shows this {kind}, changed Feb 20 10:00 AM EST" in shown
        assert "lp-pipeline backfill --from 2026-02-20 --to 2026-02-20" in shown
    assert "shows no prospect or lead" in typed(lp_account, "77", "--ask").output
    (story,) = json.loads(typed(lp_account, "10", "--json").output)
    assert (story["state"], story["external_contact_id"]) == ("opportunity", "1")
    assert story["columns"][0] == {
        "name": "email",
        "value": "ann@example.com",
        "source": "prospect.email",
        "note": None,
        "changed": False,
        "old_value": None,
    }
