"""One call to the sandbox: the HTTP request plus what its response depends on.

Belongs here: reading forms, queries and bearer tokens. Not here: sockets (server.py), responses.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from urllib.parse import unquote, urlsplit

from lp_pipeline.sandbox.switches import Switches
from lp_pipeline.sandbox.world.store import World

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d)?")


class Refused(Exception):
    """LP rejects this request and says so in a response with status 200."""


@dataclass(frozen=True)
class Call:
    """One HTTP request; `target` is the path with its query."""

    method: str
    target: str
    authorization: str
    content_type: str
    body: bytes = b""

    @property
    def path(self) -> str:
        """The path without the query."""
        return urlsplit(self.target).path

    @cached_property
    def fields(self) -> dict[str, str]:
        """The fields as text, under their original names: from the query, the form, or a JSON object's top level."""
        if self.method == "GET":
            return form(urlsplit(self.target).query)
        if self.content_type != JSON:
            return form(self.body.decode("utf-8", "replace"))
        try:
            values = json.loads(self.body)
        except ValueError:
            return {}
        named = values.items() if isinstance(values, dict) else ()
        return {name: value if isinstance(value, str) else json.dumps(value) for name, value in named}


@dataclass(frozen=True)
class Request:
    """A call and the database it goes to; `instant` is the actual time, `now` the time on LP's clock."""

    world: World
    switches: Switches
    call: Call
    instant: datetime

    @property
    def now(self) -> datetime:
        """LP's clock in its own zone, including its skew."""
        return (self.instant + timedelta(seconds=self.switches["clock_skew_seconds"])).astimezone(self.world.zone)

    @property
    def bearer(self) -> str:
        """The bearer token, or an empty string."""
        scheme, _, token = self.call.authorization.partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    @cached_property
    def fields(self) -> dict[str, str]:
        """The fields under lower-case names."""
        return {name.lower(): value for name, value in self.call.fields.items()}

    def text(self, name: str) -> str:
        """A field without surrounding spaces; empty if missing."""
        return self.fields.get(name, "").strip()

    def number(self, name: str) -> int:
        """A numeric field; 0 if missing. Raises Refused for anything else."""
        text = self.text(name) or "0"
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
            raise Refused(f"{name} is not a number.")
        return int(text)

    def moment(self, name: str) -> datetime | None:
        """A local date or datetime field; None if missing. Raises Refused for anything else."""
        text = self.text(name)
        if not text:
            return None
        try:
            if _DATE.fullmatch(text):
                return datetime.fromisoformat(text)
        except ValueError:
            pass
        raise Refused(f"{name} is not a date (YYYY-MM-DD or YYYY-MM-DD HH:mm:ss, a blank sent as %20).")


def form(text: str) -> dict[str, str]:
    """Form fields as LP parses them: `+` is a plus sign, a space is %20."""
    pairs = (pair.partition("=") for pair in text.split("&") if pair)
    return {unquote(name): unquote(value) for name, _, value in pairs}
