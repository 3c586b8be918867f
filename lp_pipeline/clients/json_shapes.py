"""Objects that nearly all have the same keys, decoded without a dictionary for each: which keys there are, at each
level, is learned from some. Bytes in, what is asked of them out; an object of any other shape is for `json_repair`.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, cast

import msgspec
from msgspec import UNSET, UnsetType

from lp_pipeline.clients.json_repair import UNREADABLE

FIRST = 20  # objects that are decoded the other way before a shape is worth its while
MOST = 1000  # objects that are learned from; with fewer hits than these, there is no shape
CHANGES = 50  # of a shape: each takes a millisecond or more
SCALAR = str | int | bool | None  # no fractions: all their digits count

_encode = msgspec.json.Encoder().encode


class Fields(msgspec.Struct):
    """An object that was decoded by its shape: a field for each key, in the order of the keys.

    `attributes` are the fields by JSON key; those of the keys in `missing` may be `UNSET`, for these are not always
    there. The outermost object has its `Shape`'s key as `key`.
    """

    attributes: ClassVar[dict[str, str]]
    missing: ClassVar[frozenset[str]]
    all_names: ClassVar[tuple[str, ...]]
    if TYPE_CHECKING:  # its place among the fields is that of its JSON key
        key: str

    @property
    def names(self) -> tuple[str, ...]:
        """Its keys, sorted."""
        if not self.missing:
            return self.all_names
        return tuple(name for name, attribute in self.attributes.items() if getattr(self, attribute) is not UNSET)


class Shaped(msgspec.Struct):
    """What is kept of an object that has the shape: its `key`, the names of all its keys, its JSON text without blanks
    and with sorted keys, and what the shape's `look` says of it."""

    key: str
    names: tuple[str, ...]
    sorted_json: bytes
    looks: bool


class Shape:
    """The shape of some objects, as far as it is known. Each has a text of letters and digits under `key`; `look` sees
    each for a moment, for its fields take time once they have left the processor's cache."""

    def __init__(self, key: str, look: Callable[[Fields], bool]) -> None:
        self._key = key
        self._look = look
        self._root = _Level()
        self._decode: Any = None
        self._hits = self._misses = self._changes = 0

    def decode(self, text: bytes) -> Shaped | None:
        """The object, if it has this shape."""
        if self._decode is None:
            return None
        try:
            found: Fields = self._decode(text)
        except UNREADABLE:
            return None
        key = found.key
        if type(key) is not str or not key.isalnum():
            return None
        self._hits += 1
        return Shaped(key, found.names, _encode(found), self._look(found))

    def learn(self, value: object) -> None:
        """Widen the shape by an object that didn't have it."""
        self._misses += 1
        if self._misses > MOST:
            if self._hits < self._misses:
                self._decode = None
        elif self._changes < CHANGES:
            news = isinstance(value, dict) and self._root.widen(value)
            if self._misses == FIRST or (news and self._misses > FIRST):
                self._decode = self._root.decoder(self._key)
                self._changes += 1


class _Level:
    """What is known of the objects at one place: their keys, which of these were always there, and what is below."""

    def __init__(self) -> None:
        self._always: frozenset[str] | None = None
        self._below: dict[str, _Level | None] = {}  # by key; None where there was no object
        self._lists: set[str] = set()

    def widen(self, fields: dict[str, Any]) -> bool:
        """Whether there was anything to learn from an object."""
        always = frozenset(fields) if self._always is None else self._always & fields.keys()
        news = always != self._always
        self._always = always
        for name, value in fields.items():
            news |= name not in self._below
            level = self._below.setdefault(name, None)
            if isinstance(value, list) and name not in self._lists:
                self._lists.add(name)
                news = True
            for each in value if isinstance(value, list) else (value,):
                if isinstance(each, dict):
                    level = self._below[name] = level or _Level()
                    news |= level.widen(each)
        return news

    def decoder(self, key: str) -> Any:
        """What decodes such objects, and no others; None if they have no such key, or one that no field can have."""
        try:
            return msgspec.json.Decoder(self.type(key)).decode if key in self._below else None
        except ValueError:  # a quotation mark in a key
            return None

    def type(self, key: str | None = None) -> type[Fields]:
        """A type for such objects, and no others."""
        attributes = {name: f"field_{number}" for number, name in enumerate(sorted(self._below))}
        if key:
            attributes[key] = "key"
        missing = frozenset(self._below.keys() - (self._always or ()))
        fields: list[Any] = []
        for name, attribute in attributes.items():
            level = self._below[name]
            inner: Any = SCALAR if level is None else level.type()
            kind: Any = list[inner] | str | None if name in self._lists else inner | str | None
            fields.append((attribute, kind | UnsetType, UNSET) if name in missing else (attribute, kind))
        found = msgspec.defstruct(
            "Fields",
            fields,
            bases=(Fields,),
            namespace={"attributes": attributes, "missing": missing, "all_names": tuple(attributes)},
            rename={attribute: name for name, attribute in attributes.items()},
            forbid_unknown_fields=True,
            kw_only=True,
            gc=False,
        )
        return cast(type[Fields], found)
