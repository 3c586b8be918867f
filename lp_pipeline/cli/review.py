"""`lp-pipeline pushes`: the pushes that need a decision, on a terminal or as CSV or JSON. How rows look: `query.py`."""

import json

import click
from rich.console import Console

from lp_pipeline.cli.prompt import WRITERS
from lp_pipeline.cli.query import Result, Row, show
from lp_pipeline.communications.manual import Choice
from lp_pipeline.communications.matching import Person
from lp_pipeline.communications.review import Listed, listed
from lp_pipeline.settings import Settings
from lp_pipeline.storage.outbox import Outbox

LETTERS = 60  # of a text, on a terminal
COLUMNS = (
    *("communication_id", "target", "state", "reason", "why", "occurred_at", "direction", "channel", "name", "phone"),
    *("email", "text", "external_contact_id", "candidates", "attempts", "words"),
)


def show_listed(settings: Settings, state: str | None, reason: str | None, console: Console, form: str) -> None:
    """The pushes that need a decision, or those of a state, as `page`, `csv` or `json`."""
    with Outbox(settings.data) as outbox:
        found = listed(outbox, settings, Choice(state=state, reason=reason))
    if form == "page":
        if found:
            show(_page(found, settings), console, skip_empty=True)
            console.print("Settle them: lp-pipeline pushes sent|again|drop ID …, or pushes assign ID CST_ID")
    else:
        types = ["JSON" if name in ("candidates", "attempts") else "VARCHAR" for name in COLUMNS]
        rows = (_row(each, settings, as_json=form == "json") for each in found)
        WRITERS[form](Result(list(COLUMNS), types, rows), console.file)
    if not found:
        selected = f"{state or 'uncertain, unmatched or failed'}{f' with the reason {reason}' if reason else ''}"
        click.echo(f"No push is {selected}.", err=form != "page")


def _page(found: list[Listed], settings: Settings) -> Result:
    """What a decision takes; a column that nobody fills is left out."""
    rows = [
        {
            "id": each.push.communication_id,
            "push": f"{each.push.target}, {each.push.state}",
            "why": each.why,
            "LeadPerfection": each.words,
            "time": f"{each.push.occurred_at.astimezone(settings.zone):%Y-%m-%d %H:%M %Z}",
            "message": " ".join(filter(None, (each.push.direction, each.push.channel))),
            "name": each.name,
            "contact": each.phone or each.email,
            "text": each.text if len(each.text) <= LETTERS else f"{each.text[: LETTERS - 1]}…",
            "prospect": each.push.address.external_contact_id or each.push.external_contact_id,
            "candidates": "; ".join(map(_named, each.candidates)),
        }
        for each in found
    ]
    names = [name for name in rows[0] if any(row[name] for row in rows)]
    return Result(names, ["VARCHAR"] * len(names), (tuple(row[name] or "" for name in names) for row in rows))


def _row(each: Listed, settings: Settings, *, as_json: bool) -> Row:
    push = each.push
    candidates = json.dumps(
        [{"external_contact_id": one.external_contact_id, "name": one.name} for one in each.candidates]
    )
    return (
        *(push.communication_id, push.target, push.state, each.reason, each.why),
        f"{push.occurred_at.astimezone(settings.zone).replace(microsecond=0)}",
        *(push.direction, push.channel, each.name, each.phone, each.email, each.text),
        push.address.external_contact_id or push.external_contact_id,
        candidates if as_json else "; ".join(map(_named, each.candidates)) or None,
        *(f"{push.attempts}", each.words),
    )


def _named(person: Person) -> str:
    return f"{person.external_contact_id} {person.name or ''}".strip()
