"""`lp-pipeline explain`: the command. What a story is: `insight.explain`; how it looks: `explain_page`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from lp_pipeline.cli.console import account_settings, console

if TYPE_CHECKING:
    from lp_pipeline.insight.explain_asked import Find
    from lp_pipeline.settings import Settings


@click.command()
@click.argument("identity", metavar="ID")
@click.option("--all", "everything", is_flag=True, help="All nine columns, all readings, every message.")
@click.option("--ask", "asks", is_flag=True, help="Ask LeadPerfection about an ID that was never read.")
@click.option("--json", "as_json", is_flag=True, help="All that is known, as JSON.")
def explain(identity: str, *, everything: bool, asks: bool, as_json: bool) -> None:
    """Tell the story of one record: why it is there, or why not.

    ID is a prospect's cst_id or a lead's id. The first line is the verdict. Then: which syncs read it, what was
    triggered and why, which LeadPerfection field each column came from, what the merge did, what Hatch answered, and
    what became of its messages. Shows personal data.
    """
    import msgspec

    from lp_pipeline.cli.explain_page import show_story
    from lp_pipeline.insight.explain import explain as explained
    from lp_pipeline.storage.locks import Turn
    from lp_pipeline.storage.outbox import Outbox

    settings = account_settings()
    if holder := Turn(settings.data).holder():
        click.echo(f"Waiting for {holder} to finish with the data.", err=True)
    with Outbox(settings.data) as outbox, _finder(settings, asks=asks) as find:
        stories = explained(settings, outbox, identity.strip(), find)
    if as_json:
        click.echo(msgspec.json.encode(stories).decode())
        return
    page = console()
    for number, story in enumerate(stories):
        if number:
            page.print()
        show_story(story, settings, page, everything=everything)


@contextmanager
def _finder(settings: "Settings", *, asks: bool) -> "Iterator[Find | None]":
    """How LeadPerfection is asked for an id, as a prospect's and as a lead's."""
    if not asks:
        yield None
        return
    from lp_pipeline.clients.leadperfection import find, find_lead
    from lp_pipeline.runs.connections import Connections

    with Connections("explain", lambda: settings) as connections:

        def ask(identity: str) -> tuple[str, bytes] | None:
            client = connections.leadperfection
            if found := find(client, settings, identity):
                return "prospect", found[1]
            found = find_lead(client, settings, identity)
            return ("lead", found[1]) if found else None

        yield ask


COMMANDS = (explain,)
