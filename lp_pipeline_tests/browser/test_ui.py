"""What people do in the UI: look at the lineage, materialize it, read numbers and plots, start jobs, see failures."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from lp_pipeline.orchestration.build import build_definitions
from lp_pipeline_tests.browser.conftest import UI
from lp_pipeline_tests.orchestration.test_lineage import NOT_MADE_HERE, UPSTREAM

pytestmark = pytest.mark.slow
LAUNCHPADS = {  # what each opens with
    "backfill": "7 days ago",
    "sweep": "full",
    "push_communications": "push_to_call_logs",
    "housekeeping": "New Run",
    "sync": "New Run",
}


@pytest.fixture(scope="module")
def materialized(ui: UI) -> str:
    """The run that somebody started by "Materialize all"."""
    before = ui.runs()
    page = ui.goto("/asset-groups", "Materialize all")
    page.get_by_text(re.compile(r"^Materialize all \(\d+\)$")).click()
    run, state = ui.outcome(before, "__ASSET_JOB", "sync")
    assert state == "SUCCESS"
    return run


def test_the_lineage_shows_every_stage(ui: UI, materialized: str, shots: Path) -> None:
    """From LeadPerfection to Hatch and back; what we make is materialized, what we don't make is there, too."""
    ui.page.set_viewport_size({"width": 3600, "height": 1300})  # for names to be whole
    page = ui.goto("/asset-groups", "published")
    page.keyboard.press("Alt+e")  # expands all groups
    for name in UPSTREAM:
        expect(page.get_by_text(name, exact=True).last).to_be_visible()
    made = len(UPSTREAM.keys() - NOT_MADE_HERE) + 1  # and the notes: the push came by itself
    expect(page.get_by_text("Materialized", exact=True)).to_have_count(made)


def test_an_asset_shows_numbers_a_plot_and_where_columns_come_from(ui: UI, materialized: str, shots: Path) -> None:
    """The three numbers that matter, then a plot, then a table, then how to query it."""
    page = ui.goto("/assets/opportunities?view=events", "Materialized in run")
    rows = page.get_by_role("row").all_inner_texts()
    names = [row.split("\t")[0].strip() for row in rows]
    assert names[0] == "opportunities"
    assert names[1] in ("changes (first load)", "changes")  # the schedule's next one, if that was faster
    assert names[2] == "rejected records"
    plot = page.locator("img[alt*='at most']").first
    expect(plot).to_be_visible()
    assert plot.evaluate("picture => picture.naturalWidth") > 400
    expect(page.get_by_text("lp-pipeline sql").first).to_be_visible()
    page = ui.goto("/assets/opportunities", "Email address of the prospect (prospect.email)")
    page.get_by_role("button", name="Plots").click()
    expect(page.locator("canvas").first).to_be_visible()
    expect(page.get_by_text("changes (first load)")).to_be_visible()


def test_the_report_is_linked(ui: UI, materialized: str, shots: Path) -> None:
    """A page for people without SQL, found from its asset."""
    page = ui.goto("/assets/report?view=events", "Materialized in run")
    expect(page.locator("a[href^='file:'][href$='report.html']").first).to_be_visible()


def test_every_launchpad_works_as_it_opens(ui: UI, materialized: str, shots: Path) -> None:
    """Nothing has to be filled in; the backfill is started with what is there."""
    for job, text in LAUNCHPADS.items():
        page = ui.launchpad(job, text)
        expect(page.get_by_text("No errors").first).to_be_visible()
        expect(page.get_by_role("button", name="Launch Run")).to_be_enabled()
    before = ui.runs()
    page = ui.launchpad("sweep", "full")
    expect(page.get_by_text("No errors").first).to_be_visible()
    page.get_by_role("button", name="Launch Run").click()
    assert ui.outcome(before, "sweep")[1] == "SUCCESS"


def test_schedules_and_sensor_are_on(ui: UI, shots: Path) -> None:
    """By themselves, under names that say what they do."""
    ours = build_definitions().get_repository_def()
    names = [*(each.name for each in ours.schedule_defs), *(each.name for each in ours.sensor_defs)]
    assert {"sync_every_15_minutes", "sweep_every_night", "push_when_communications_arrive"} <= set(names)
    page = ui.goto("/automation", names[0])
    for name in names:
        expect(page.get_by_text(name, exact=True)).to_be_visible()
    expect(page.get_by_text("Scheduled At 02:10 AM")).to_be_visible()
    expect(page.locator("input[type=checkbox]:checked")).to_have_count(len(names))


def test_the_resource_says_whose_data_it_is(ui: UI, shots: Path) -> None:
    """SANDBOX, so that nobody takes made-up people for real ones."""
    page = ui.goto("/locations/__repository__@lp_pipeline.definitions/resources/connections", "SANDBOX")
    expect(page.get_by_text("PUSH_TO_CALL_LOGS")).to_be_visible()


def test_a_failing_check_says_what_to_do(ui: UI, materialized: str, shots: Path) -> None:
    """The message is on the check and in the run, and no stack trace is on either page."""
    ui.sandbox.switch(refuse_sign_in=True)
    before = ui.runs()
    page = ui.launchpad("sync", "New Run")
    page.get_by_role("button", name="Launch Run").click()
    run, state = ui.outcome(before, "sync")
    assert state == "FAILURE"
    said = "The leads feed was not read"
    page = ui.goto("/assets/raw_leads?view=checks", said)
    expect(page.get_by_text("LP_USERNAME").first).to_be_visible()
    expect(page.get_by_text("syncs since it was last read").first).to_be_visible()
    page = ui.goto(f"/runs/{run}", said)
    text = page.inner_text("body")
    assert "Traceback" not in text
    assert "site-packages" not in text
