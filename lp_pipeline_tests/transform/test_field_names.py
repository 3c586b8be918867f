"""SPEC J4: keys are found, compared and shown whatever they contain; none is ever part of a JSON path."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lp_pipeline.clients.hatch.upsert import details
from lp_pipeline.storage.contents import content_of, objects, older_keys
from lp_pipeline.storage.publish import publish
from lp_pipeline.storage.published import open_published
from lp_pipeline.transform.replay import replay
from lp_pipeline_tests.scenario import ODD_NAMES, Record, Scenario, lead, only, prospect

VIEWS = ("prospects", "leads", "jobs", "appointments", "opportunity_details", "raw.prospects", "raw.leads")
names = st.sampled_from([name.lower().replace("\x00", "") for name in ODD_NAMES]) | st.text(max_size=5)
values = st.none() | st.sampled_from(["", "a", "b"]) | st.dictionaries(st.sampled_from("xy"), st.sampled_from("cd"))
records = st.dictionaries(names.map(str.lower).filter(lambda name: "\x00" not in name), values, max_size=4)


@given(newer=records, older=records)
def test_two_readings_are_merged_key_by_key(newer: Record, older: Record) -> None:
    """J1: a key of the newer reading counts, even if it is empty there; an object is one value."""
    texts = [json.dumps(each).encode() for each in (newer, older)]
    found = {name: value for name, (_, value) in older_keys([(2, texts[0]), (1, texts[1])], {}).items()}
    shown, _ = objects(texts[0], json.dumps(found).encode(), b"", None)
    merged = {name: value for name, value in {**older, **newer}.items() if name not in ("notes", "calls", "leads")}
    assert content_of(shown) == content_of(merged)


def with_odd_names(value: Any, **fields: Any) -> Record:
    """A prospect whose lead, job and appointment have all the odd fields too, each with this value."""
    odd = dict.fromkeys(ODD_NAMES, value)
    inner = {"id": "7", **odd}
    return prospect("1", lead("10", jobs=[inner], appointments=[inner], **odd), **odd, **fields)


def test_every_table_can_be_read_whatever_a_field_is_called(scenario: Scenario) -> None:
    """J4, Q2, S1, E4: staging, merging, sweeping, publishing, views, replay, and what goes to Hatch."""
    scenario.sync(with_odd_names("old"))
    scenario.sync(prospect("1", city="Troy"), feed="prospects")  # shows none of them
    scenario.later(days=2)
    scenario.read("leads", with_odd_names("new"), kind="sweep")
    scenario.merge()
    found = {field for (field,) in scenario.ask("select field from unannounced_changes")}
    lowered = {name.lower().replace("\x00", "") for name in ODD_NAMES}
    assert found >= {f"prospect.{name}" for name in lowered}
    assert found >= {f"lead.{name}" for name in lowered}
    publish(scenario.warehouse, outbox=scenario.outbox, now=scenario.now, zone="America/New_York", force=True)
    with open_published(scenario.warehouse.published) as connection:
        for view in VIEWS:
            assert connection.execute(f"from {view}").fetchall()
        content = json.loads(only(connection.execute("select content from prospects").fetchall()))
        both = connection.execute("select prospect, lead from opportunity_details").fetchall()[0]
    assert {name: content[name] for name in lowered} == dict.fromkeys(lowered, "new")
    assert content["city"] == "Troy"
    sent = details(json.loads(both[0]), json.loads(both[1]), "prospect.lastchanged")
    assert {sent[f"{path}.{name.strip()}"] for path in ("prospect", "lead", "lead.jobs[0]") for name in lowered} == {
        "new"
    }
    assert replay(scenario.settings).rows == []
