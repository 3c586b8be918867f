"""SPEC J7, W8: one odd record beside two ordinary ones goes through every stage: reading, landing, staging, merging,
delivering, publishing, pushing, sweeping, replaying, rezoning. It passes or is rejected alone; the others always pass.
"""

import json
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lp_pipeline.clients.hatch.upsert import details
from lp_pipeline.clients.json_repair import readable
from lp_pipeline.clients.leadperfection.page import elements
from lp_pipeline.transform.replay import replay
from lp_pipeline.transform.rezone import rezone
from lp_pipeline_tests.account import Account
from lp_pipeline_tests.communications.talk import LONG_AGO
from lp_pipeline_tests.runs.past import person, sweep_up
from lp_pipeline_tests.scenario import Scenario, lead, prospect

DRILLS = settings.get_current_profile_name() == "drills"
ODD = "7"
BESIDE = ("1", "2")
OLD = "2020-01-01T00:00:00"
FIRST, LAST = "0001-01-01T00:00:00", "9999-12-31T23:59:59.9999999"
DATES = (
    *(FIRST, LAST, "9999-12-31T23:59:59.9999999Z", "0000-00-00T00:00:00", "0001-01-01T00:00:00+14:00"),
    *("1970-01-01T00:00:00+14:00", "1970-01-01", "2199-12-31T23:59:59.9999999", "2199-12-31T23:59:59.9999999-12:00"),
    *("2026-02-30T00:00:00", "294247-01-10T04:00:54", "-2026-01-01T00:00:00", "infinity", "-infinity", "epoch", "now"),
    *("2026-03-01T10:00:00+99:99", "2026-03-01T10:00:00.99999999999999999999", "２０２６-03-01T10:00:00"),
)


def odd(**fields: Any) -> str:
    """An ordinary record, with its id and some fields changed, as JSON text; a `Raw` value is put in as it is."""
    raw = {f"@{name}@": value for name, value in fields.items() if isinstance(value, Raw)}
    record = {**prospect(ODD, lead("70")), **{n: f"@{n}@" if isinstance(v, Raw) else v for n, v in fields.items()}}
    text = json.dumps(record)
    for mark, value in raw.items():
        text = text.replace(f'"{mark}"', value)
    return text


class Raw(str):
    """JSON text."""


def only_date(path: str, date: str) -> str:
    """A record that has no change stamp but this one."""
    stamps: dict[str, Any] = {"lastchanged": "", "leads": []}
    bare = lead("70", lastchangedon="", dateentered="")
    match path:
        case "lastchanged" | "dateadded":
            stamps[path] = date
        case "contractdate":
            bare["jobs"] = [{"id": "1", "contractdate": date}]
        case "lastchangedon":
            bare["appointments"] = [{"id": "1", "lastchangedon": date}]
        case _:
            bare[path] = date
    return odd(**{**stamps, "leads": [bare]})


PATHS = ("dateadded", "lastchanged", "dateentered", "contractdate", "lastchangedon")
NESTED = Raw('{"x":[' * 450 + "1" + "]}" * 450)
RECORDS: dict[str, str] = {
    "nested 900 deep": odd(deep=NESTED),
    "nested 900 deep in its lead": odd(leads=[lead("70", deep=1)]).replace('"deep": 1', f'"deep": {NESTED}'),
    "nested 10,000 deep": odd(deep=Raw("[" * 10_000 + "]" * 10_000)),
    "leads nested 900 deep": odd(leads=Raw("[" * 900 + "]" * 900)),
    "an array nested 900 deep": "[" * 900 + "]" * 900,
    "1e400": odd(amount=Raw("1e400"), cst=Raw("-1e400")),
    "tiny numbers": odd(amount=Raw("1e-400"), other=Raw("1e-99999999999999999999"), third=Raw("1e-999999999")),
    "an integer of 400 digits": odd(amount=Raw("9" * 400)),
    "an integer of 5000 digits": odd(amount=Raw("9" * 5000)),
    "an id of 400 digits": odd(cst_id=Raw("9" * 400)),
    "an id with an exponent": odd(cst_id=Raw("7e0")),
    "an id of 1e300": odd(cst_id=Raw("1e300")),
    "an id of 1e-300": odd(cst_id=Raw("1e-300")),
    "lead ids as numbers": odd(leads=[lead(70.0), lead(10**30), lead(1e300)]),
    "lone surrogates": odd(firstname=Raw(r'"\ud83d"'), city=Raw(r'"\udc4d\ud83d"')).replace(
        '"email"', r'"\ud83d": 1, "email"'
    ),
    "a NUL in values": odd(firstname="A\0nn", lastname="\0", cst_id=f"{ODD}\0", email="a\0@x.com", phone1="518\0"),
    "a NUL in a key": odd(**{"ci\0ty": "Troy", "\0": 1, "": 2}),
    "control characters": odd(city=Raw('"a\x01\tb\x1f"')),
    "keys twice": odd().replace('"firstname"', '"lastname": "X", "FirstName": "", "firstname": "Y", "firstname"'),
    "leads twice": odd().replace('"leads"', '"Leads": [{"id": "71"}], "LEADS": 3, "leads"'),
    "keys of odd letters": odd(**{'Window width (24")': 1, "back\\": 1, "$.x[*]": 1, "a.b": 1, "ſtate": 1, "İd": 1}),
    "objects for texts": odd(firstname={"a": 1}, lastname=[1, [2]], email={}, phone1=[], dateadded=["2026-01-01"]),
    "an object for leads": odd(leads=lead("70")),
    "a text for leads": odd(leads="none"),
    "odd elements in leads": odd(leads=[None, 3, "x", [lead("71")], lead("70"), {}, lead(None), lead(True)]),
    "objects for arrays": odd(
        leads=[lead("70", jobs={"id": "1"}, appointments={"id": "2"})], altphones={"phone": "1"}, calls={}, notes={}
    ),
    "texts for arrays": odd(leads=[lead("70", jobs="x", appointments=3)], altphones="5185550123", calls="x", notes=4),
    "odd elements in arrays": odd(
        leads=[lead("70", jobs=[None, 3, [], "x"], appointments=[[], None])],
        altphones=[None, 3, "5185550123", [1], {"phone": {"a": 1}}],
        calls=[None, 3, "x", [], {"calldatetime": LAST, "phone": [1]}, {"calldatetime": FIRST}],
    ),
    "booleans as ids": odd(cst_id=True, leads=[lead(False)]),
    "an object as id": odd(cst_id={"id": 7}),
    "an id of odd letters": odd(cst_id="?'\"$[*]\\;%\n\u202e"),
    "no object": "null",
    **{f"{date} as {path}, the only date": only_date(path, date) for path in PATHS for date in (FIRST, LAST)},
    **{
        f"{date} for every date": odd(
            dateadded=date,
            lastchanged=date,
            calls=[{"calldatetime": date}],
            leads=[lead("70", dateentered=date, lastchangedon=date, entrydate=date, jobs=[{"contractdate": date}])],
        )
        for date in DATES
    },
}
HUGE: dict[str, str] = {
    "a key of 100 kB": odd(**{"k" * 100_000: "x", "ké" * 50_000: [{"y" * 100_000: 1}]}),
    "10,000 leads, one of them new": odd(
        leads=[lead(str(number), lastchangedon=OLD, dateentered=OLD) for number in range(10_000)]
        + [lead("new", lastchangedon="2026-03-02T11:59:00")]
    ),
    "1000 keys": odd(**{f"field{number}": number for number in range(1000)}),
    "a value of 20 MB": odd(comments="x" * 20_000_000),
    "an e-mail of 5 MB": odd(email="<" * 2_500_000 + "a@" * 1_000_000, phone1="5" * 500_000),
    "an id of 1 MB": odd(cst_id="7" * 1_000_000),
}
SAME_KIND = ("a key of 100 kB", "an e-mail of 5 MB", "an id of 1 MB")  # as the others


def through_all_stages(lp: Account, *texts: str) -> None:
    """One page in both feeds with the records between two ordinary ones, and everything that follows from it."""
    first, second = (json.dumps(person(lp, number, phone1=f"(518)555-019{number}")) for number in BESIDE)
    for path in ("GetLead", "GetProspectData"):
        lp.lp.fault("answer", path=path, body=f"[{', '.join([first, *texts, second])}]")
    reports = lp.read()
    assert [(each.error, each.readings) for each in reports.values()] == [(None, 2 + len(texts))] * 2
    lp.merge()
    lp.deliver()
    lp.publish()
    now = lp.now.isoformat()
    said = {"category": "sms", "direction": "inbound", "body": "Call me", "occurred_at": now}
    lp.land(*({"id": f"m{number}", "external_contact_id": number, **said} for number in (*BESIDE, ODD)))
    for number in BESIDE:
        lp.lp.put(person(lp, number))
    lp.push()
    sweep_up(lp)
    lp.publish()
    assert replay(lp.load()).counts == {}
    lp.environ["LP_TIMEZONE"] = "Pacific/Kiritimati"
    rezone(lp.load())
    lp.publish()


def check_ordinary_ones(lp: Account) -> None:
    """They are delivered, published and written to; and whoever looks at everything can."""
    beside = [(number,) for number in BESIDE]
    contacts = "external_contact_id from {} where external_contact_id in ('1', '2') {} order by 1"
    assert lp.published("select " + contacts.format("opportunities", "")) == beside
    assert lp.published("select " + contacts.format("hatch_deliveries", "and state = 'delivered'")) == beside
    assert lp.published("select " + contacts.format("rejected_records", "")) == []
    notes = [state for _, state, target in lp.pushes("communication_id", "state", "target") if target == "note"]
    assert notes[:2] == ["sent", "sent"]
    for view in VIEWS:
        lp.published(f"from {view}")


VIEWS = (
    *("leads", "prospects", "jobs", "appointments", "calls", "opportunity_details", "current_opportunities"),
    *("raw.prospects", "raw.leads", "opportunity_changes", "unannounced_changes"),
)


@pytest.fixture
def lp(lp_account: Account) -> Account:
    """An account with Hatch, in which only what identifies a record has to be available."""
    lp_account.with_hatch()
    lp_account.environ |= {
        "PUSH_SINCE": LONG_AGO,
        "LP_AVAILABILITY": "identity",
        "LP_PAGE_SIZE": "1000",
        "LP_PIECE_HOURS": "8000",
    }
    return lp_account


@pytest.mark.parametrize("page", ["of all", pytest.param("of those that need no repair", marks=pytest.mark.slow)])
def test_odd_records_stop_none_beside_them(lp: Account, page: str) -> None:
    """J7, W8: in any stage; each is an opportunity itself, or it is rejected with the names of what is missing."""
    texts = {
        f"{ODD}{number}": text
        for number, text in enumerate(RECORDS.values())
        if page == "of all" or readable(text.encode())[0] == text.encode()
    }
    through_all_stages(lp, *(text.replace(f'"cst_id": "{ODD}"', f'"cst_id": "{own}"') for own, text in texts.items()))
    check_ordinary_ones(lp)
    passed = {row[0] for row in lp.published("select external_contact_id from opportunities")}
    rejected = dict(lp.published("select external_contact_id, missing from rejected_records"))
    assert [text for own, text in texts.items() if f'"{ODD}"' in text and own not in passed | rejected.keys()] == []
    assert {name for missing in rejected.values() for name in missing} == {
        *("external_contact_id", "external_created_at", "external_id", "external_updated_at")
    }
    if page == "of all":
        assert {f"{ODD}{list(RECORDS).index('nested 900 deep')}"} & passed


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(text, id=name, marks=pytest.mark.marathon if name in SAME_KIND else pytest.mark.slow)
        for name, text in HUGE.items()
    ],
)
def test_an_odd_record_passes_or_is_rejected_alone(lp: Account, text: str) -> None:
    """J7: whatever its size; it is an opportunity itself, or it is rejected with the names of what is missing."""
    through_all_stages(lp, text)
    check_ordinary_ones(lp)
    passed = lp.published("select * from opportunities where external_contact_id not in ('1', '2')")
    rejected = lp.published("select missing from rejected_records")
    assert passed or rejected
    assert all(missing for (missing,) in rejected)


NAMES = st.text(max_size=6) | st.sampled_from(
    [
        *("cst_id", "CstID", "id", "leads", "LEADS", "jobs", "appointments", "calls", "altphones", "notes", "phone"),
        *("firstname", "lastname", "email", "phone1", "dateadded", "lastchanged", "lastchangedon", "dateentered"),
        *("contractdate", "calldatetime", "disposition", "$", "*", '"', "\\", "a.b", "\0", ""),
    ]
)
TEXTS = st.text(max_size=8) | st.sampled_from([*DATES, "2026-03-02T11:59:00", "7", "true", "[]", "{}", "5185550123"])
NUMBERS = st.integers() | st.integers(-(10**40), 10**40) | st.floats() | st.sampled_from([10**400, -(10**400)])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=15,
)


@pytest.mark.slow
def test_no_json_stops_the_records_beside_it(tmp_path: Path) -> None:
    """J7, W8: whatever a page holds beside two ordinary records, these are read and merged, and what has become an
    opportunity can be put into words for Hatch."""
    scenario = Scenario(tmp_path)
    syncs = count()

    @settings(max_examples=200 if DRILLS else 12)
    @given(st.lists(VALUES | st.dictionaries(NAMES, VALUES, max_size=8), max_size=8), st.integers(0, 8))
    def run(odd_ones: list[Any], place: int) -> None:
        scenario.later(minutes=1)
        city = f"Town {next(syncs)}"
        first, second = (json.dumps(prospect(f"ordinary {number}", lead("1"), city=city)) for number in BESIDE)
        texts = [json.dumps(each) for each in odd_ones]
        body = f"[{', '.join([first, *texts[:place], second, *texts[place:]])}]"
        scenario.sync(*(text for text, _ in elements(body.encode(), "GetLead")))
        made = scenario.objects()
        read = {one["cst_id"]: one["city"] for one, _ in made if one["cst_id"].startswith("ordinary")}
        assert read == {f"ordinary {number}": city for number in BESIDE}
        for one, other in made:
            msgspec.json.encode(details(one, other, ""))

    run()
