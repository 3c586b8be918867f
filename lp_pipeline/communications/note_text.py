"""The text of a note, and how a note of ours is recognized among others in LeadPerfection (SPEC C6).

Pure functions; where and when a note is sent is decided elsewhere.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from lp_pipeline.communications.open_push import OpenPush
from lp_pipeline.communications.plain_text import cut, disarmed, one_line, plain, safe_link, units

LEAST_LIMIT = 100  # room for the longest mark with a word or two before it
LONGEST_NAME = 60

_ID = re.compile("[A-Za-z0-9_-]{1,64}")
_LINE_BREAK = re.compile(r"\r\n|\n|\r|<br\s*/?>", re.IGNORECASE)
_SAME_AS_CHANNEL = {
    "text": {"text", "sms", "text message"},
    "email": {"email", "e mail", "mail", "text"},  # text is Hatch's ordinary type, whatever the channel
    "call": {"call", "phone call", "phone", "voice", "text"},
    "message": {"message", "text"},
}
_AUTOMATION = re.compile(r"automat|assistant|campaign|workflow|system|\b(?:ai|api|bot|chatbot)\b")
_PERSON = re.compile(r"user|human|person|employee")
_NOT_DELIVERED = re.compile(
    r"(?:not|un|non) ?deliver|fail|bounce|reject|\berror"
    r"|\b(?:blocked|dropped|expired|invalid|refused|unsent|not sent)\b"
)


def mark(communication_id: str) -> str:
    """The mark that identifies a communication's note: `[hatch:<id>]`; unusual ids are hashed (SPEC C6)."""
    if _ID.fullmatch(communication_id):
        return f"[hatch:{communication_id}]"
    return f"[hatch:{hashlib.sha256(communication_id.encode('utf-8', 'surrogatepass')).hexdigest()[:40]}]"


def note_text(push: OpenPush, zone: ZoneInfo, limit: int) -> str:
    """The note: a first line that ends with the mark, the body as plain text, the https links (SPEC C6).

    At most `limit` UTF-16 code units long: the body is cut to fit; links that don't fit whole are left out.
    """
    if limit < LEAST_LIMIT:
        raise ValueError(f"A note needs room for at least {LEAST_LIMIT} characters; the limit is {limit}. Raise it.")
    ending = " " + mark(push.communication_id)
    first = cut(_summary(push, zone), limit - units(ending)) + ending
    body = disarmed(plain(push.body or "")[: limit + 1])
    links = list(dict.fromkeys(filter(None, map(safe_link, push.links))))
    room = limit - units(first) - (units("\n…") if body else 0)
    while links and sum(1 + units(link) for link in links) > room:
        links.pop()
    if body:
        body = cut(body, limit - units("\n".join([first, "", *links])))
    return "\n".join(part for part in (first, body, *links) if part)


def has_mark(note: str, mark: str) -> bool:
    """Whether this note has that mark at the end of its first line (SPEC C6)."""
    return bool(mark) and _LINE_BREAK.split(note, maxsplit=1)[0].rstrip().endswith(mark)


def marked_in(notes: object, mark: str) -> bool | None:
    """Whether a prospect's `notes`, as LeadPerfection returned them, contain that mark; None if unknown (SPEC C7).

    They are objects with `note`, strings, or one string that holds several notes.
    """
    if notes is None:
        return False
    if isinstance(notes, str):
        lines = [line.strip() for line in _LINE_BREAK.split(notes)]
        return any(line.startswith("Hatch ") and has_mark(line, mark) for line in lines)
    if isinstance(notes, Mapping):
        notes = [notes]  # the contract: one object instead of an array of one
    if not isinstance(notes, Sequence) or isinstance(notes, bytes | bytearray):
        return None
    answers = [_is_marked(note, mark) for note in notes]
    if True in answers:
        return True
    return None if None in answers else False


def _is_marked(note: object, mark: str) -> bool | None:
    if note is None or isinstance(note, str):
        return has_mark(note or "", mark)
    if not isinstance(note, Mapping):
        return None
    found = {str(key).strip().lower(): value for key, value in note.items()}
    for key in ("note", "notes"):
        if key in found:
            value = found[key]
            return has_mark(value or "", mark) if value is None or isinstance(value, str) else None
    return None


def _summary(push: OpenPush, zone: ZoneInfo) -> str:
    channel, kind = one_line(push.channel, LONGEST_NAME), one_line(push.type, LONGEST_NAME)
    adds = kind and _words(kind) not in _SAME_AS_CHANNEL.get(channel, {channel})
    parts = [f"Hatch {channel} ({kind})" if adds else f"Hatch {channel}"]
    if push.direction == "inbound":
        parts.append("inbound")
    elif push.direction == "outbound":
        parts.append(f"outbound by {_who(push)}")
    if _NOT_DELIVERED.search(_words(push.delivery_status or "")):
        parts.append("not delivered")
    if push.channel == "call" and push.duration_seconds and push.duration_seconds > 0:
        parts.append(_duration(push.duration_seconds))
    parts.append(_moment(push.occurred_at, zone))
    return disarmed(", ".join(parts))


def _who(push: OpenPush) -> str:
    actor_type, name = _words(push.actor_type or ""), one_line(push.actor_name, LONGEST_NAME)
    if _AUTOMATION.search(actor_type):
        return "automation"
    return name or ("a Hatch user" if _PERSON.search(actor_type) else "automation")


def _words(raw: str) -> str:
    return " ".join(re.split(r"[\s_-]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", raw).strip().lower()))


def _duration(seconds: int) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return " ".join(f"{count} {unit}" for count, unit in ((hours, "h"), (minutes, "min"), (rest, "s")) if count)


def _moment(occurred_at: datetime, zone: ZoneInfo) -> str:
    try:
        local = occurred_at.astimezone(zone)
    except OverflowError:  # the first or last day of the calendar: not a real time, but no reason to fail
        local = occurred_at
    return f"{local.replace(tzinfo=None).isoformat(' ', 'minutes')} {local.tzname()}"
