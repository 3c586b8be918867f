"""`lp-pipeline forget`: the question, and the receipt. What is erased is decided in `upkeep.forget`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from lp_pipeline.cli.console import account_settings

if TYPE_CHECKING:
    from lp_pipeline.settings import Settings
    from lp_pipeline.upkeep.forget import Receipt


@click.command()
@click.argument("cst_id")
@click.option("--yes", is_flag=True, help="Don't ask.")
def forget(cst_id: str, *, yes: bool) -> None:
    """Erase the prospect CST_ID from every file of the data folder, for good.

    All its readings, leads, opportunities, messages, pushes and deliveries go, and the files are written anew. Only a
    keyed hash of its ids, phones and emails stays, so that what is read of it later is dropped before it is stored. The
    receipt says what was erased, and what can't be reached from here: LeadPerfection, Hatch, backups. Waits for syncs
    and pushes. Killed half-way, the same command completes it.
    """
    from lp_pipeline.storage.outbox import Outbox
    from lp_pipeline.upkeep.forget import forget as erase

    settings, cst_id = account_settings(), cst_id.strip()
    if not yes:
        click.echo(f"This erases prospect {cst_id} from {settings.data}. It can't be undone.")
        click.confirm(f"Erase prospect {cst_id}?", abort=True)
    with Outbox(settings.data) as outbox:
        receipt = erase(settings, outbox, cst_id)
    for line in receipt_lines(receipt, settings):
        click.echo(line)


def receipt_lines(receipt: "Receipt", settings: "Settings") -> Iterator[str]:
    """What was erased, what was kept, and what can't be reached: without names, phones or emails."""
    now = settings.now().astimezone(settings.zone)
    yield f"Prospect {receipt.contact_id} is erased from {settings.data} ({now:%Y-%m-%d %H:%M %Z})."
    erased = {name: number for name, number in sorted(receipt.rows.items()) if number}
    yield ""
    if erased:
        yield f"Erased: {receipt.leads} leads, {receipt.phones_and_emails} phones and emails; rows:"
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
    if receipt.sharing:
        yield (
            f"Kept: up to {receipt.sharing} other prospects have the same phone or email. Their records are theirs; "
            "erase each by its own cst_id."
        )
    if receipt.kept_messages:
        yield (
            f"Kept: {receipt.kept_messages} messages that name nobody, from a phone or email that others have, too. "
            "Look at them in the table communications."
        )
    if receipt.shared_leads:
        yield f"Kept: leads that LeadPerfection moved to other prospects ({', '.join(receipt.shared_leads)})."
    yield "Notes of other records may mention the person by name: that can't be told from here."


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
        yield f"Files in the folder that are not the pipeline's: {', '.join(receipt.other_files)}."


COMMANDS = (forget,)
