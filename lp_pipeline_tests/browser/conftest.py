"""One `lp-pipeline dev` on the sandbox, and one page of a Chromium, for all tests of a module: `make test-browser`."""

import os
import shutil
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from lp_pipeline.cli.services import end, services_of
from lp_pipeline.orchestration.launcher import LOCATION
from lp_pipeline.sandbox import Sandbox
from lp_pipeline_tests.cli.test_dev import Dev
from lp_pipeline_tests.drills.deployment import until
from lp_pipeline_tests.first_sync import SOME

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE = 120_000.0  # milliseconds
expect.set_options(timeout=PATIENCE)
RUNS = "{ runsOrError(limit: 20) { ... on Runs { results { runId jobName status } } } }"
ENDED = ("SUCCESS", "FAILURE", "CANCELED")


class UI:
    """The page, the sandbox behind it, and the runs of the server."""

    def __init__(self, page: Page, address: str, sandbox: Sandbox) -> None:
        self.page, self.sandbox, self._address = page, sandbox, address

    def goto(self, path: str, text: str) -> Page:
        """Open a page of the UI and wait until it shows this text."""
        self.page.goto(f"{self._address}{path}")
        self.page.get_by_text(text).first.wait_for()
        return self.page

    def launchpad(self, job: str, text: str) -> Page:
        """The same of a job's launchpad."""
        return self.goto(f"/locations/__repository__@{LOCATION}/jobs/{job}/playground", text)

    def runs(self) -> dict[str, tuple[str, str]]:
        """Every run's job and state."""
        answer = httpx.post(f"{self._address}/graphql", json={"query": RUNS}, timeout=60).json()
        found: list[dict[str, Any]] = answer["data"]["runsOrError"]["results"]
        return {each["runId"]: (each["jobName"], each["status"]) for each in found}

    def outcome(self, before: dict[str, Any], *jobs: str) -> tuple[str, str]:
        """The id and the state of the run of one of these jobs that was not there before, once it has ended."""

        def new() -> list[tuple[str, str]]:
            return [(run, state) for run, (job, state) in self.runs().items() if run not in before and job in jobs]

        until(lambda: any(state in ENDED for _, state in new()), f"no run of {jobs} ends")
        return next((run, state) for run, state in new() if state in ENDED)


@pytest.fixture(scope="module")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UI]:
    """Served until the tests of the module have run."""
    if CHROMIUM is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("No Chromium. On Debian: apt-get install chromium")
    folder = tmp_path_factory.mktemp("ui")
    home, data = folder / "home", folder / "data"
    home.mkdir()
    data.mkdir()
    sandbox = Sandbox(data, clock=lambda: datetime.now(UTC), population=SOME)
    with sandbox.open():
        dev = Dev(home)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1500, "height": 900})
            page.set_default_timeout(PATIENCE)
            yield UI(page, f"http://127.0.0.1:{dev.port}", sandbox)
            browser.close()
    finally:
        dev.process.send_signal(signal.SIGTERM)
        dev.process.wait(timeout=90)
        end(service.pid for service in services_of(home))


@pytest.fixture
def shots(ui: UI, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A picture of the page as the test left it, for people to look at: `--basetemp` says where."""
    ui.page.set_viewport_size({"width": 1500, "height": 900})
    yield tmp_path
    ui.page.screenshot(path=tmp_path / f"{request.node.name}.png")
