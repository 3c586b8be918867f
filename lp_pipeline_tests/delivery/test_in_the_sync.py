"""SPEC D1, D3, R4: delivery as a part of the sync, and by `lp-pipeline deliver`, against a Hatch on loopback."""

import logging
import socket
from contextlib import closing

import dagster as dg
import pytest

from lp_pipeline.errors import SettingsError
from lp_pipeline.runs.deliver_since import deliver_since
from lp_pipeline_tests.account import Account, failures
from lp_pipeline_tests.scenario import lead, prospect


def fill(account: Account, number: int) -> None:
    stamp = account.wall(minutes=5)
    for each in range(1, number + 1):
        one = lead(f"{each}0", lastchangedon=stamp)
        account.lp.put(prospect(each, one, lastchanged=stamp, phone1=f"51855501{each:02}", email=f"p{each}@a.example"))


def states(result: dg.ExecuteInProcessResult) -> dict[str, int]:
    """The table of the ledger's states."""
    (event,) = result.asset_materializations_for_node("hatch_deliveries")
    shown = event.metadata["in Hatch so far"]
    assert isinstance(shown, dg.TableMetadataValue)
    return {str(row.data["state"]): int(row.data["opportunities"] or 0) for row in shown.records}


def metadata(result: dg.ExecuteInProcessResult, asset: str = "hatch_deliveries") -> dict[str, object]:
    (event,) = result.asset_materializations_for_node(asset)
    return {name: value.value for name, value in event.metadata.items()}


def verdict(result: dg.ExecuteInProcessResult, check: str = "hatch_takes_deliveries") -> tuple[bool, str, str]:
    (found,) = [each for each in result.get_asset_check_evaluations() if each.check_name == check]
    return found.passed, found.severity.value, found.description or ""


def everything(result: dg.ExecuteInProcessResult) -> str:
    return " ".join(str(event) for event in result.all_events)


def test_without_a_key_nothing_is_sent_and_the_ui_says_so(lp_account: Account) -> None:
    """D1: without a key nothing is sent, and the asset's metadata says so."""
    result = lp_account.run(select=["hatch_deliveries"])
    assert metadata(result) == {"not sent": "HATCH_API_KEY is not set, so nothing goes to Hatch"}


@pytest.mark.slow
def test_wrong_keys_stop_the_delivery_and_the_export_and_not_the_sync(
    lp_account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    """D3, C1, R4: LeadPerfection's data is published and the run fails; once fixed, what is due is delivered."""
    caplog.set_level(logging.INFO)
    fill(lp_account, 12)
    lp_account.with_hatch(HATCH_API_KEY="wrong-secret-key", HATCH_EXPORT_KEY="wrong-secret-key")
    result = lp_account.run()
    assert not result.success
    assert {name for name in ("HATCH_API_KEY", "HATCH_EXPORT_KEY") for each in failures(result) if name in each} == {
        "HATCH_API_KEY",
        "HATCH_EXPORT_KEY",
    }
    assert len(failures(result)) == 2
    assert lp_account.published("select count(*) from opportunities") == [(12,)]
    assert lp_account.published("select count(*) from hatch_deliveries") == [(0,)]
    assert metadata(result)["waiting for a later sync"] == 12
    assert verdict(result)[:2] == verdict(result, "hatch_gives_exports")[:2] == (False, "ERROR")
    assert "Unauthorized" not in everything(result)
    for private in ("wrong-secret-key", "a.example", "5185550"):
        assert private not in everything(result) + caplog.text
    lp_account.later()
    lp_account.with_hatch()
    lp_account.lp.switch(hatch_refuse_email="p3@a.example")
    result = lp_account.run()
    assert result.success
    assert metadata(result)["refused by code and field"] == {"422 /email": 1}
    assert states(result) == {"delivered": 11, "refused": 1}
    assert verdict(result) == (
        False,
        "WARN",
        "Hatch refused records: 1 times 422 /email. Its words are in hatch_deliveries.",
    )
    assert "not deliverable" not in everything(result) + caplog.text
    assert len(lp_account.lp.hatch_contacts()) == 11
    query = "select external_id, error_code, error_field, words from hatch_deliveries where state = 'refused'"
    assert lp_account.published(query) == [("30", 422, "/email", "Email is not deliverable")]


def test_a_hatch_that_is_down_is_a_warning(lp_account: Account) -> None:
    """D3, R3: the sync succeeds, a check warns, and what is due is delivered once Hatch is back."""
    fill(lp_account, 3)
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        unreachable = f"http://127.0.0.1:{free.getsockname()[1]}"
    lp_account.with_hatch(HATCH_API_URL=unreachable, HATCH_EXPORT_URL=unreachable)
    result = lp_account.run()
    assert result.success
    passed, severity, description = verdict(result)
    assert (passed, severity) == (False, "WARN")
    assert "could not be reached" in description
    assert verdict(result, "hatch_gives_exports")[:2] == (False, "WARN")
    assert lp_account.published("select count(*) from opportunities") == [(3,)]
    lp_account.later(hours=1)
    lp_account.with_hatch()
    delivered = lp_account.deliver()
    assert delivered is not None
    assert delivered.delivered == 3
    assert lp_account.deliver() == type(delivered)()


def test_a_person_delivers_the_rest(lp_account: Account) -> None:
    """D1: `lp-pipeline deliver --since` sends what no sync did, in slices that let syncs in, and says what it did."""
    fill(lp_account, 5)
    lp_account.sync()
    with pytest.raises(SettingsError, match="HATCH_API_KEY is not set"):
        deliver_since(lp_account.load(), lp_account.now, print)
    lp_account.with_hatch()
    lp_account.lp.switch(hatch_refuse_email="p3@a.example")
    done = deliver_since(lp_account.load(), lp_account.now.replace(year=2025), print)
    assert done == ("4 delivered, 0 known to Hatch already, 1 refused, 0 unreachable, 0 waiting for the next sync.")
    assert len(lp_account.lp.hatch_writes()) == 4
    assert lp_account.published("select count(*) from hatch_deliveries") == [(5,)]
    (lp_account.folder / "published.duckdb").unlink()  # else its minute is waited for
    again = deliver_since(lp_account.load(), lp_account.now.replace(year=2025), print)
    assert again.startswith("0 delivered, 5 known")


def test_waiting_for_the_turn_takes_nothing_of_a_deliverys_time(lp_account: Account) -> None:
    """R2, R3: the run's time begins with its turn, for Hatch too, although communications were read before it."""
    lp_account.with_hatch()
    with lp_account.connections() as connections:
        before = connections.hatch()
        assert connections.warehouse.folder == lp_account.folder  # its turn has come
        assert (connections.hatch()._deadline or 0) > (before._deadline or 0)
