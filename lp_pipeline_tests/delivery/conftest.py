"""A warehouse that is fed by hand, and a Hatch that keeps what it is sent."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from lp_pipeline.clients.hatch import HatchClient
from lp_pipeline.delivery import DeliveryReport, deliver
from lp_pipeline_tests.clients.hatch.fakes import FakeHatch
from lp_pipeline_tests.scenario import Scenario

HATCH = {"HATCH_API_KEY": "key", "HATCH_SOURCE": "custom:lp", "HATCH_RATE_PER_MINUTE": "60000"}
Answer = Callable[[dict[str, Any]], httpx.Response | None]


class Deliveries(Scenario):
    """A scenario with a Hatch. `answer` may answer a body instead of taking it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, **HATCH)
        self.hatch = FakeHatch()

    def key(self, is_set: bool) -> None:
        """From now on there is a Hatch key, or none."""
        self._values = HATCH if is_set else {}

    def deliver(self, answer: Answer = lambda _body: None, **client: Any) -> DeliveryReport:
        """One delivery."""

        def transport(request: httpx.Request) -> httpx.Response:
            return answer(json.loads(request.content)) or self.hatch(request)

        given = {"pace": 0.0, "transport": httpx.MockTransport(transport), **client}
        with HatchClient(self.settings, **given) as opened:
            return deliver(self.warehouse, self.outbox, opened, self.settings)

    def bodies(self) -> list[dict[str, Any]]:
        """What Hatch was sent since this was last asked, in order."""
        found = [json.loads(request.content) for request in self.hatch.requests]
        self.hatch.requests.clear()
        return found

    def sent(self) -> list[str]:
        """The external ids of it."""
        return [body["externalID"] for body in self.bodies()]

    def due(self) -> int:
        """How much is due."""
        return len(self.ask("from pipeline.due_deliveries"))

    def ledger(self, *columns: str) -> list[tuple[Any, ...]]:
        """Rows of the ledger, by contact and lead."""
        with self.outbox.transaction(visible=False) as connection:
            names = ", ".join(columns)
            found = connection.execute(
                f"select {names} from hatch_deliveries order by external_contact_id, external_id"
            )
            return [tuple(row) for row in found]


@pytest.fixture
def deliveries(tmp_path: Path) -> Iterator[Deliveries]:
    """An empty warehouse and an empty Hatch."""
    opened = Deliveries(tmp_path)
    with closing(opened.outbox):
        yield opened
