"""Who was erased by `lp-pipeline forget` (SPEC E5): keyed hashes in `forgotten.json`, by which what LeadPerfection and
Hatch show of them later is dropped before it is stored. Erasing itself: `runs/upkeep/forget.py`.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Self

import msgspec

from lp_pipeline.clients.contact_points import email_address, phone_numbers
from lp_pipeline.clients.json_values import id_of
from lp_pipeline.errors import WarehouseError
from lp_pipeline.settings.files import write_file
from lp_pipeline.storage.failures import readable_errors

FILE = "forgotten.json"
Kind = Literal["prospect", "lead", "hatch_contact", "communication", "phone", "email"]
Trace = tuple[Kind, str]


class _List(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    erased: list[str]


class _Kept(msgspec.Struct, forbid_unknown_fields=True):
    lists: list[_List]  # one, or several after a backup of another folder was restored


class Forgotten:
    """Those who were erased from a data folder; empty if there is no such file. Raises `WarehouseError`."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._erased: dict[bytes, frozenset[str]] = {}  # by key
        if self._path.exists():
            with readable_errors(f"read {self._path}"):
                self._read()

    def __bool__(self) -> bool:
        return bool(self._erased)

    def knows(self, kind: Kind, value: str | None) -> bool:
        """Whether this id, ten-digit phone or bare email is of somebody who was erased."""
        return value is not None and any(_hash(key, kind, value) in erased for key, erased in self._erased.items())

    def add(self, traces: Iterable[Trace]) -> None:
        """Remember these, on disk at return; for whoever has the turn. Killed meanwhile, it has all of them or none."""
        key = next(iter(self._erased), None) or secrets.token_bytes(32)
        self._join({key: frozenset(_hash(key, kind, value) for kind, value in traces)})

    def join(self, other: Self) -> None:
        """Remember whom another list remembers, such as that of a backup; likewise."""
        self._join(other._erased)

    def _join(self, erased: Mapping[bytes, frozenset[str]]) -> None:
        for key, hashes in erased.items():
            self._erased[key] = self._erased.get(key, frozenset()) | hashes
        kept = _Kept([_List(key.hex(), sorted(hashes)) for key, hashes in self._erased.items()])
        with readable_errors(f"write {self._path}"):
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_file(self._path, msgspec.json.format(msgspec.json.encode(kept)))

    def mentions(self, record: str) -> bool:
        """Whether a record of Hatch's, read or not, has an id, a phone or an email of somebody who was erased."""
        return bool(self._erased) and any(self.knows(kind, value) for kind, value in traces_in(record))

    def _read(self) -> None:
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=_Kept)
            self._erased = {bytes.fromhex(each.key): frozenset(each.erased) for each in kept.lists}
        except ValueError:
            raise WarehouseError(
                f"{self._path} is damaged. It says who was erased: without it they would come back with their next "
                "change. Restore it from a backup."
            ) from None


def _hash(key: bytes, kind: Kind, value: str) -> str:
    return hmac.new(key, f"{kind}:{value}".encode(), hashlib.sha256).hexdigest()


PUNCTUATION = "\"',;:()"
ID_COLUMNS: dict[str, Kind] = {
    "id": "communication",
    "contact_id": "hatch_contact",
    "hatch_contact_id": "hatch_contact",
    "external_contact_id": "prospect",
    "external_id": "lead",
}


def traces_in(record: str) -> Iterator[Trace]:
    """The ids, phones and emails in a record of Hatch's, which may be no JSON object."""
    try:
        whole = json.loads(record)
    except ValueError:
        whole = record
    for name, value in _values(whole):
        identity = id_of(value)
        if identity and name in ID_COLUMNS:
            yield ID_COLUMNS[name], identity
        if identity:
            yield from (("phone", each) for each in phone_numbers(identity))
            words = (word.strip(PUNCTUATION) for word in identity.split())
            yield from (("email", each) for word in words if (each := email_address(word)))


def _values(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    match value:
        case dict():
            for key, item in value.items():
                yield from _values(item, str(key).lower())
        case list():
            for item in value:
                yield from _values(item, name)
        case _:
            yield name, value
