"""What the lineage shows: the whole way from LeadPerfection to Hatch and back, and what each asset is."""

import re
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import dagster as dg
import pytest

from lp_pipeline.errors import SettingsError
from lp_pipeline.orchestration.account import card
from lp_pipeline.orchestration.build import build_definitions
from lp_pipeline.orchestration.metadata import bars
from lp_pipeline.settings import Settings, load_settings
from lp_pipeline_tests.scenario import LIVE

UPSTREAM = {
    "leadperfection": set(),
    "raw_leads": {"leadperfection"},
    "raw_prospects": {"leadperfection"},
    "staged_opportunities": {"raw_leads", "raw_prospects"},
    "opportunities": {"staged_opportunities"},
    "hatch_deliveries": {"opportunities"},
    "hatch": {"hatch_deliveries"},
    "raw_communications": {"hatch"},
    "leadperfection_notes": {"raw_communications"},
    "published": {"opportunities", "hatch_deliveries", "raw_communications"},
    "report": {"published"},
}
GROUPS = {"leadperfection", "opportunities", "hatch", "published"}
NOT_MADE_HERE = {"leadperfection", "hatch", "leadperfection_notes"}
J3 = {
    "email": "prospect.email",
    "external_id": "lead.id",
    "external_contact_id": "prospect.cst_id",
    "external_created_at": "prospect.dateadded",
    "external_updated_at": "prospect.lastchanged, lead.lastchangedon, lead.dateentered, lead.jobs[0].contractdate, "
    "lead.appointments[0].lastchangedon",
    "first_name": "prospect.firstname",
    "last_name": "prospect.lastname",
    "phone": "prospect.phone1",
    "status": "lead.disposition",
}


@pytest.fixture(scope="module")
def specs() -> dict[str, dg.AssetSpec]:
    """Every asset by its name."""
    return {spec.key.to_user_string(): spec for spec in build_definitions().resolve_all_asset_specs()}


def test_it_goes_from_leadperfection_to_hatch_and_back(specs: dict[str, dg.AssetSpec]) -> None:
    """Every stage is there, with what it is made from; both systems are at the ends, and nothing goes in a circle."""
    ours = {name: specs[name] for name in UPSTREAM}
    assert {name: {dep.asset_key.to_user_string() for dep in spec.deps} for name, spec in ours.items()} == UPSTREAM
    assert {spec.group_name for spec in ours.values()} == GROUPS
    graph = build_definitions().resolve_asset_graph()
    assert {key.to_user_string() for key in graph.external_asset_keys} == NOT_MADE_HERE


def test_the_two_systems_order_no_step(specs: dict[str, dg.AssetSpec]) -> None:
    """W8, D3: a delivery that fails keeps no communication from being read."""
    (node,) = (each for each in build_definitions().resolve_job_def("sync").nodes if each.name == "raw_communications")
    assert not build_definitions().resolve_job_def("sync").dependencies[dg.NodeInvocation(node.name)]


def test_each_asset_says_what_it_is(specs: dict[str, dg.AssetSpec]) -> None:
    """A sentence first, then a paragraph and something to run; kinds, tags; for how long it is fresh; and no owner, for
    we know of none."""
    for name, spec in specs.items():
        first, *others = str(spec.description).split("\n\n")
        assert len(first) > 100, name
        assert any(block.lstrip().startswith("```") for block in others), name
        assert not spec.owners, name
        assert spec.kinds, name
        assert spec.tags, name
        assert not re.search(r"\b(SPEC|[A-Z]\d{1,2})\b", str(spec.description)), name
        assert (spec.freshness_policy is not None) == (name not in NOT_MADE_HERE), name


def test_columns_name_the_field_that_they_come_from(specs: dict[str, dg.AssetSpec]) -> None:
    """J3: open-source Dagster shows no lineage of columns, so the text of each has it; with the type in the file."""
    schema = specs["opportunities"].metadata["dagster/column_schema"]
    assert isinstance(schema, dg.TableSchema)
    described = {column.name: str(column.description) for column in schema.columns}
    assert {name: text for name, text in J3.items() if text not in described[name]} == {}
    assert {column.type for column in schema.columns} == {"varchar", "timestamp", "timestamptz"}


def test_code_references_exist(specs: dict[str, dg.AssetSpec]) -> None:
    """Of each asset that we make: its own code, and the SQL that decides."""
    for name in UPSTREAM.keys() - {"leadperfection", "hatch", "report"}:
        references = specs[name].metadata["dagster/code_references"].code_references
        assert len(references) >= 2, name
        assert [each.file_path for each in references if not Path(each.file_path).is_file()] == []


def test_a_plot_has_a_bar_for_each_number() -> None:
    """The axis starts at zero. Dagster shows Markdown of less than 1,000 characters at once, the rest behind a link."""
    text = str(bars([("Nov 1", 1), ("Nov 2", 0), ("Nov 3", 4)]).md_str)
    found = re.fullmatch(r"!\[(.*)\]\(data:image/svg\+xml,([^\s()]*)\)", text)
    assert found
    assert found[1] == "Nov 1 to Nov 3, at most 4, last 4"
    path, *texts = ElementTree.fromstring(unquote(found[2]))
    assert [int(height) for height in re.findall(r"v-(\d+)", path.attrib["d"])] == [15, 0, 60]
    assert [each.text for each in texts] == ["4", "Nov 1", "Nov 3: 4"]
    assert len(str(bars([(f"Nov {day} 12:00 AM", 123_456 - day) for day in range(50)]).md_str)) < 1_000
    assert bars([("Nov 1", 0)]).md_str == bars([]).md_str == "nothing yet"


def test_the_resource_page_shows_whose_data_it_is() -> None:
    """SANDBOX or LIVE, the account, its zone and what is switched on; no secret; what is wrong with the settings."""
    assert card(lambda: load_settings({})).startswith("## SANDBOX\n\nmade-up people, nothing real · America/New_York")
    shown = card(lambda: load_settings({**LIVE, "HATCH_API_KEY": "a-key", "HATCH_SOURCE": "custom:x"}))
    assert shown.startswith("## LIVE\n\nclient `acme` at https://lp.example · America/New_York")
    assert "| Opportunities to Hatch | **on** |" in shown
    assert "| … notes | **on** |" in shown
    assert "| … call logs | off |" in shown
    assert not any(secret in shown for secret in ("a-key", LIVE["LP_PASSWORD"], LIVE["LP_APP_KEY"]))
    assert "LP_TIMEZONE" in card(lambda: load_settings({**LIVE, "LP_TIMEZONE": ""}))
    resource = build_definitions().resources["connections"]  # type: ignore[index]
    assert "SANDBOX" in str(resource.description) or "LIVE" in str(resource.description)


def test_the_sweeps_hour_is_the_accounts() -> None:
    """S1: in its own night; settings that can't be read stop no definitions."""

    def broken() -> Settings:
        raise SettingsError("LP_TIMEZONE is not set.")

    def zone(load: object) -> str | None:
        schedules = build_definitions(load).schedules  # type: ignore[arg-type]
        return {each.name: each.execution_timezone for each in schedules or []}["sweep_every_night"]  # type: ignore[union-attr]

    assert zone(lambda: load_settings({**LIVE, "LP_TIMEZONE": "America/Los_Angeles"})) == "America/Los_Angeles"
    assert zone(broken) == "UTC"
