"""Which keys a prospect has, as bits of one number: whether one reading lacks a key of another one is then a matter of
two numbers (SPEC J1). And the fields that only older readings have, for the few prospects that have such.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from lp_pipeline.storage.contents import older_keys, own_keys
from lp_pipeline.storage.sql import statement

MOST = 120  # different names with a bit of their own; there is one bit for all others
SHAPES_KEPT = 10_000
AT_ONCE = 20_000  # rows

_encode = msgspec.json.Encoder(order="sorted").encode


class KeyBits:
    """The bits of records' keys, as this warehouse numbers them. New names are written by `remember`."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        rows = connection.execute(statement("extract/record_keys")).fetchall()
        self._places: dict[str, int] = {name: place for place, name in rows}
        self._known = len(self._places)
        self._bits: dict[tuple[str, ...], int] = {}

    def of(self, names: tuple[str, ...]) -> int:
        """The bits of a record with these keys, as written."""
        bits = self._bits.get(names)
        if bits is None:
            bits = 0
            for name in sorted(own_keys(names)):
                if name not in self._places and len(self._places) < MOST:
                    self._places[name] = len(self._places)
                bits |= 1 << self._places.get(name, MOST)
            if len(self._bits) < SHAPES_KEPT:
                self._bits[names] = bits
        return bits

    def remember(self) -> None:
        """Write the names that are new, inside the caller's transaction."""
        values = {"first": self._known, "names": list(self._places)[self._known :]}
        self._connection.execute(statement("extract/remember_keys"), values).fetchall()


def keep_older_keys(connection: Any) -> None:
    """Fill the temporary table `older_keys`: the fields that only older readings of a prospect in the batch have."""
    keep_older_keys_of(connection, connection.execute(statement("staging/current_readings")).fetchall())


def keep_older_keys_of(connection: Any, prospects: Iterable[tuple[str, Any, str | None, str | None]]) -> None:
    """The same for these prospects: contact key, readings (number, record), and the fields and numbers known before."""
    rows: list[tuple[str, str, str]] = []
    for contact, readings, keys, numbers in prospects:
        values, places = (msgspec.json.decode(text or "{}") for text in (keys, numbers))
        known = {name: (places[name], value) for name, value in values.items()}
        found = older_keys(((number, record.encode()) for number, record in readings), known)
        if found:
            fields, origins = ({name: item[place] for name, item in found.items()} for place in (1, 0))
            rows.append((contact, _encode(fields).decode(), _encode(origins).decode()))
    for begin in range(0, len(rows), AT_ONCE):
        columns = [list(column) for column in zip(*rows[begin : begin + AT_ONCE], strict=True)]
        values = dict(zip(("contact", "keys", "numbers"), columns, strict=True))
        connection.execute(statement("staging/keep_older_keys"), values).fetchall()
