"""`lp-pipeline forget`: the question, and the receipt. What is erased is decided in `runs.upkeep.forget`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from lp_pipeline.cli.console import account_settings

if TYPE_CHECKING:
    from lp_pipeline.runs.upkeep.forget import Receipt
    from lp_pipeline.settings import Settings


@click.command()
@click.argument("cst_id", required=False)
@click.option("--again", is_flag=True, help="Erase all who were erased before and are back with a restored backup.")
@click.option("--yes", is_flag=True, help="Don't ask.")
def forget(cst_id: str | None, *, again: bool, yes: bool) -> None:
    """Erase the prospect CST_ID from every file of the data folder, for good.

    All its readings, leads, opportunities, messages, pushes and deliveries go, and the files are written anew. Only a
    keyed hash of its ids, phones and emails stays, so that what is read of it later is dropped before it is stored. The
    receipt says what was erased, and what can't be reached from here: LeadPerfection, Hatch, backups. Waits for syncs
    and pushes. Killed half-way, the same command completes it.
    """
    from lp_pipeline.runs.upkeep.forget import erased_but_there
    from lp_pipeline.runs.upkeep.forget import forget as erase
    from lp_pipeline.storage.outbox import Outbox

    if again == bool(cst_id):
        raise click.UsageError("Give either CST_ID or --again.")
    settings = account_settings()
    with Outbox(settings.data) as outbox:
        contacts = [cst_id.strip()] if cst_id else erased_but_there(settings, outbox)
        if not contacts:
            click.echo(f"Nobody who was erased is in {settings.data}.")
            return
        who = f"prospect {contacts[0]}" if len(contacts) == 1 else f"{len(contacts)} prospects"
        if not yes:
            click.echo(f"This erases {who} from {settings.data}. It can't be undone.")
            click.confirm(f"Erase {who}?", abort=True)
        receipts = erase(settings, outbox, *contacts)
    for number, receipt in enumerate(receipts):
        if number:
            click.echo()
        for line in receipt_lines(receipt, settings):
            click.echo(line)


def receipt_lines(receipt: "Receipt", settings: "Settings") -> Iterator[str]:
    """What was erased, what was kept, and what can't be reached: without names, phones or emails."""
    from lp_pipeline.insight.words import count

    now = settings.now().astimezone(settings.zone)
    yield f"Prospect {receipt.contact_id} is erased from {settings.data} ({now:%Y-%m-%d %H:%M %Z})."
    erased = {name: number for name, number in sorted(receipt.rows.items()) if number}
    yield ""
    if erased:
        contacts = count(receipt.phones_and_emails, "phone or email", "phones and emails")
        yield f"Erased: {count(receipt.leads, 'lead')}, {contacts}; rows:"
        for name, number in erased.items():
            yield f"  {number:>7,}  {name.removeprefix('pipeline.').replace('_', ' ')}"
        yield "work.duckdb, outbox.sqlite and published.duckdb were written anew."
    elif receipt.was_erased_before:
        yield "Nothing was left of it: it was erased before."
    else:
        yield "Nothing was stored of it."
    yield "Kept: a keyed hash of its ids, phones and emails (forgotten.json), so that it does not come back."
    yield from _kept(receipt)
    yield ""
    yield "This can't reach:"
    for line in _out_of_reach(receipt):
        yield f"- {line}"


def _kept(receipt: "Receipt") -> Iterator[str]:
    from lp_pipeline.insight.words import count

    if receipt.sharing:
        yield (
            f"Kept: up to {receipt.sharing} other prospects have the same phone or email. Their records are theirs; "
            "erase each by its own cst_id."
        )
    if receipt.kept_messages:
        messages = count(receipt.kept_messages, "message")
        yield f"Kept: {messages} that may be somebody else's, who has the same phone, email or Hatch contact."
    if receipt.shared_leads:
        yield f"Kept: leads that LeadPerfection moved to other prospects ({', '.join(receipt.shared_leads)})."
    yield "Notes of other records may mention the person by name: search for it."


def _out_of_reach(receipt: "Receipt") -> Iterator[str]:
    contacts = f" (contact {', '.join(receipt.hatch_contacts)})" if receipt.hatch_contacts else ""
    yield "LeadPerfection, which still has the prospect, with the notes and call logs written there: erase it there."
    yield f"Hatch{contacts}: it offers no way to erase a contact by program. Ask its support."
    yield "Backups of this folder. `lp-pipeline restore` erases the person again; until then, they are in there."
    yield "Copies of published.duckdb that others made, and programs that have the old one open until they close it."
    yield (
        "Dagster's history of runs: it holds no names, phones, emails or messages, but a run may name the cst_id and "
        "lead ids among its examples. Delete such runs in its UI."
    )
    if receipt.other_files:
        names = ", ".join(receipt.other_files)
        yield f"Other files in the folder, such as older copies, which were not looked into: {names}."


COMMANDS = (forget,)
