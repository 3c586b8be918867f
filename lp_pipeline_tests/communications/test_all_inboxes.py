"""SPEC A5, C2: one inbox serves all accounts of a host, each with its own secret and its own outbox."""

import asyncio
from pathlib import Path

import httpx
import pytest

from lp_pipeline.communications.inbox_server import AllInboxes
from lp_pipeline.storage.outbox import Outbox
from lp_pipeline_tests.accounts_file import add, listing
from lp_pipeline_tests.communications.inbox_process import GOOD

LOOP = asyncio.new_event_loop()  # one for all requests, as in a server
SECRETS = {name: f"{name}-" + "s" * 32 for name in ("albany", "boston", "broken")}


@pytest.fixture
def inboxes(deployment: Path) -> AllInboxes:
    """Two accounts with an inbox, one without, one that is broken."""
    listing(deployment, "albany", "boston", "chicago", "broken")
    for name in ("albany", "boston", "broken"):
        add(deployment, name, {"COMMUNICATIONS_FROM": "inbox", "INBOX_SECRET": SECRETS[name]})
    add(deployment, "chicago")
    (deployment / "volume" / "broken" / "outbox.sqlite").write_bytes(b"damaged" * 1000)
    return AllInboxes()


def post(inboxes: AllInboxes, path: str, secret: str) -> httpx.Response:
    return ask(inboxes, "POST", path, json={**GOOD, "id": "c1"}, headers={"X-Inbox-Secret": secret})


def ask(inboxes: AllInboxes, method: str, path: str, **given: object) -> httpx.Response:
    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(inboxes.app())
        async with httpx.AsyncClient(transport=transport, base_url="http://inbox") as client:
            return await client.request(method, path, **given)  # type: ignore[arg-type]

    return LOOP.run_until_complete(asked())


def test_each_account_has_its_own_path_secret_and_outbox(inboxes: AllInboxes, deployment: Path) -> None:
    """A3, A5: another account's secret opens nothing."""
    with inboxes:
        assert post(inboxes, "/communications/albany", SECRETS["albany"]).status_code == 202
        assert post(inboxes, "/communications/boston", SECRETS["albany"]).status_code == 401
        assert post(inboxes, "/communications", SECRETS["albany"]).status_code == 404
    with Outbox(deployment / "volume" / "albany") as albany, Outbox(deployment / "volume" / "boston") as boston:
        count = "select count(*) from communications"
        with albany.transaction() as one, boston.transaction() as other:
            assert [each.execute(count).fetchone()[0] for each in (one, other)] == [1, 0]


def test_nobody_learns_which_accounts_there_are(inboxes: AllInboxes) -> None:
    """R4: unknown, without an inbox, broken: the answer is that of a wrong secret."""
    with inboxes:
        wrong = post(inboxes, "/communications/albany", "wrong")
        assert wrong.status_code == 401
        for name in ("nowhere", "chicago", "broken", "..%2Falbany"):
            answer = post(inboxes, f"/communications/{name}", SECRETS["albany"])
            assert (answer.status_code, answer.text) in {(401, wrong.text), (404, "Not Found")}


def test_a_broken_account_harms_no_other(inboxes: AllInboxes) -> None:
    """A2: it is not healthy, the others are, and they store."""
    with inboxes:
        assert list(inboxes.names()) == ["albany", "boston", "broken"]
        assert ask(inboxes, "GET", "/health/broken").status_code == 503
        assert ask(inboxes, "GET", "/health/albany").json() == {"can_store": True}
        assert ask(inboxes, "GET", "/health").json() == {"can_store": True}
        assert post(inboxes, "/communications/boston", SECRETS["boston"]).status_code == 202
