"""Writing into LeadPerfection: a note, a call log, a production note, and what its answer means (contract, section 5).

What is written, and whether to write it again, is for the caller to decide.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from lp_pipeline.clients.http import Received
from lp_pipeline.clients.json_repair import bare, decoded
from lp_pipeline.clients.leadperfection.client import Client
from lp_pipeline.clients.leadperfection.responses import check_permanent, lookup, timed_out, words
from lp_pipeline.clients.retry import TransientError
from lp_pipeline.errors import LeadPerfectionError

ADD_NOTES = "SalesApi/AddNotes"
ADD_CALL = "Customers/AddCallHistory"
Outcome = Literal["accepted", "refused", "unknown"]


@dataclass(frozen=True)
class Written:
    """What became of one write. `why` is safe to show; `words` are LeadPerfection's own, for the ledger only.

    `is_down`: no answer of its own came, as when it is down.
    """

    outcome: Outcome
    why: str | None = None
    words: str | None = None
    is_down: bool = False


@dataclass(frozen=True)
class Write:
    """One call that writes something."""

    action: str
    fields: dict[str, str]


def note(cst_id: str, text: str) -> Write:
    """A note on a prospect."""
    return Write(ADD_NOTES, {"rectype": "cst", "recid": cst_id, "notes": text})


def production_note(action: str, job_id: str, text: str) -> Write:
    """A note on a job, by one of the two actions that LeadPerfection has for it."""
    if action == ADD_NOTES:
        return Write(action, {"rectype": "job", "recid": job_id, "notes": text})
    return Write(action, {"jobid": job_id, "notes": text})


def call(fields: dict[str, str]) -> Write:
    """A call log; `fields` are AddCallHistory's."""
    return Write(ADD_CALL, fields)


def written(client: Client, write: Write, *, before: Callable[[], None] = lambda: None) -> Written:
    """Carry it out once, and say what became of it; `before`, and what it raises, as `Client.write` has it."""
    action = write.action
    received = client.write(action, write.fields, before=before)
    if isinstance(received, TransientError):
        return Written("unknown", str(received), received.words, is_down=received.unanswered)
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
            text = str(result).strip().lower()
            if text in {"0", "0.0", "false"}:
                return Written("refused", "Result 0", said)
            if text == "true" or (text.isdecimal() and text.isascii()):
                return Written("accepted")
            return Written("unknown", f"{asked} was answered with a Result that is no number", said)
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
