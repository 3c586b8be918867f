"""Writing into LeadPerfection: a note, a call log, a production note, and what its answer means (contract, section 5).

What is written, and whether to write it again, is for the caller to decide.
"""

from dataclasses import dataclass
from typing import Literal

from lp_pipeline.errors import LeadPerfectionError
from lp_pipeline.leadperfection.answers import bare, lookup, timed_out, words
from lp_pipeline.leadperfection.client import Client
from lp_pipeline.leadperfection.exchange import Received, check_permanent
from lp_pipeline.leadperfection.sign_in import decoded
from lp_pipeline.leadperfection.troubles import Trouble

ADD_NOTES = "SalesApi/AddNotes"
ADD_CALL = "Customers/AddCallHistory"
Outcome = Literal["accepted", "refused", "unknown"]


@dataclass(frozen=True)
class Written:
    """What became of one write. `why` is safe to show; `words` are LeadPerfection's own, for the ledger only."""

    outcome: Outcome
    why: str | None = None
    words: str | None = None


def add_note(client: Client, cst_id: str, text: str) -> Written:
    """Add a note to a prospect; raises as `Client.write` does."""
    return _written(client, ADD_NOTES, {"rectype": "cst", "recid": cst_id, "notes": text})


def add_production_note(client: Client, action: str, job_id: str, text: str) -> Written:
    """Add a note to a job by one of the two actions that LeadPerfection has for it."""
    if action == ADD_NOTES:
        return _written(client, action, {"rectype": "job", "recid": job_id, "notes": text})
    return _written(client, action, {"jobid": job_id, "notes": text})


def add_call(client: Client, fields: dict[str, str]) -> Written:
    """Add a call log; `fields` are AddCallHistory's."""
    return _written(client, ADD_CALL, fields)


def _written(client: Client, action: str, fields: dict[str, str]) -> Written:
    received = client.write(action, fields)
    if isinstance(received, Trouble):
        return Written("unknown", str(received), received.words)
    return judged(received, action)


def judged(received: Received, action: str) -> Written:
    """What an answer to a write says: LeadPerfection accepted it, refused it, or said nothing of the kind."""
    asked, said = action.rpartition("/")[2], words(received.body)
    try:
        check_permanent(received, asked, f"/api/{action}", "Check LP_API_URL, or choose another action.")
    except LeadPerfectionError as error:
        return Written("refused", f"HTTP {received.status}", error.words or said)
    if timed_out(said):
        return Written("unknown", f"{asked} timed out inside LeadPerfection", said)
    value = decoded(received.body)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, str) and value.strip():
        return _by_text(value, said)
    if isinstance(value, dict) and value:
        result = lookup(value, "result")
        if result is not None:
            refused = result is False or str(result).strip().lower() in {"0", "false", "0.0"}
            return Written("refused", "Result 0", said) if refused else Written("accepted")
        message = lookup(value, "message")
        if isinstance(message, str) and not lookup(value, "error"):
            return _by_text(message, said)
        return Written("refused", "an error message", said)
    empty = bare(received.body) in (b"", b"null", b"[]", b'""')
    return Written("unknown", f"{asked} was answered with {'nothing' if empty else 'something unreadable'}", said)


def _by_text(text: str, said: str) -> Written:
    lower = text.lower()
    if "success" in lower and "unsuccess" not in lower and "not success" not in lower:
        return Written("accepted")
    return Written("refused", "a text without success", said)
