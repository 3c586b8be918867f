"""SPEC J5: `rezone` corrects a wrong time zone."""

from datetime import UTC, datetime

from lp_pipeline.transform.rezone import rezone
from lp_pipeline_tests.scenario import Scenario, lead, prospect


def test_rezone_recomputes_the_instants_and_says_so(scenario: Scenario) -> None:
    """J5, M7: instants change, wall times stay, and each change is logged; a second rezone does nothing."""
    scenario.sync(prospect("1", lead("10")), prospect("2", lead("20"), dateadded="2025-11-03T10:00:00Z"))
    mended = Scenario(scenario.folder, LP_TIMEZONE="America/Denver")
    assert rezone(mended.settings).startswith("2 opportunities")
    created = "select external_created_at, external_created_local from opportunities order by external_contact_id"
    assert mended.ask(created) == [
        (datetime(2025, 11, 3, 17, 12, 44, 510000, UTC), datetime(2025, 11, 3, 10, 12, 44)),
        (datetime(2025, 11, 3, 10, tzinfo=UTC), datetime(2025, 11, 3, 5)),
    ]
    changed = (
        "select external_contact_id, column_name from opportunity_changes where column_name is not null order by all"
    )
    assert mended.ask(changed) == [
        ("1", "external_created_at"),
        ("1", "external_updated_at"),
        ("2", "external_updated_at"),
    ]
    assert rezone(mended.settings).startswith("Nothing to do")
    assert mended.sync(prospect("1", lead("10", disposition="Sold"))).updated == 1
