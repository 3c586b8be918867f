"""Comparing contents (SPEC F1): of a reading with the one before it, and of an opportunity with
what it was written from.

Contents are computed where two records are compared, and kept for one transaction only. What follows from them, SQL
decides.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec

from lp_pipeline.storage.contents import Contents, compared, content_of, contents
from lp_pipeline.storage.warehouse import bound, run

_encode = msgspec.json.Encoder(order="sorted").encode
AT_ONCE = 20_000  # readings
Row = tuple[int, str | None, str, list[str]]


def keep_contents(connection: Any) -> None:
    """Fill the temporary table `contents`: the prospect's own content and that of each lead, of the readings in
    `read_again`."""
    ignored = ignored_fields(connection)
    numbers = run(connection, "merge/read_again")
    for some in _slices([number for (number,) in numbers]):
        rows: list[Row] = []
        for number, found in _contents(connection, some, ignored).items():
            rows.append((number, None, _encode(found.own).decode(), found.names))
            rows += [(number, key, _encode(of.content).decode(), of.names) for key, of in found.by_key.items()]
        _keep(connection, rows)


def keep_compared_leads(connection: Any) -> None:
    """Fill the temporary table `contents` for the lead feed's readings in the batch that have one before them, and for
    that one; what both have in the same words is only noted as the same."""
    _keep_compared(connection, run(connection, "staging/contents_of_leads"))


def keep_compared_prospects(connection: Any) -> None:
    """Add those of the prospect feed that may trigger their prospect."""
    _keep_compared(connection, run(connection, "staging/contents_of_prospects"))


def _keep_compared(connection: Any, pairs: list[tuple[int, int]]) -> None:
    ignored = ignored_fields(connection)
    for some in _slices(pairs):
        records = dict(bound(connection, "staging/records", {"no": list({no for pair in some for no in pair})}))
        rows: list[Row] = []
        for pair in some:
            both = compared(*(records.get(no, "null").encode() for no in pair), ignored=ignored)
            # a rejected record may be merged again as it was: then both are one reading
            for number, found in dict(zip(pair, both, strict=True)).items():
                rows += [(number, key, _encode(content).decode(), []) for key, content in found]
        _keep(connection, rows)


def _keep(connection: Any, rows: list[Row]) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)]
    bound(connection, "staging/keep_contents", dict(zip(("no", "key", "content", "names"), columns, strict=True)))


def keep_differing(connection: Any) -> None:
    """Fill the temporary table `differing`: the staged opportunities whose prospect or lead has another content than
    those from which the opportunity was last written, though none of its columns differs (SPEC M3)."""
    ignored = ignored_fields(connection)
    pairs: list[tuple[Any, ...]] = run(connection, "merge/in_question")
    differing: list[tuple[str, str | None]] = []
    for slice_ in _slices(pairs):
        numbers = {pair[place] for pair in slice_ for place in (2, 4, 6, 8) if pair[place] is not None}
        known = _contents(connection, sorted(numbers), ignored)
        differing += [
            pair[:2] for pair in slice_ if _objects(known, pair[2:6], ignored) != _objects(known, pair[6:10], ignored)
        ]
    values = {"contact": [contact for contact, _ in differing], "lead": [lead for _, lead in differing]}
    bound(connection, "merge/keep_differing", values)


def ignored_fields(connection: Any) -> frozenset[str]:
    """LP_IGNORE_FIELDS of the sync, or of the one that is replayed."""
    return frozenset(connection.execute("select getvariable('ignored')").fetchall()[0][0] or ())


def _contents(connection: Any, numbers: Collection[int], ignored: Collection[str]) -> dict[int, Contents]:
    records = bound(connection, "staging/records", {"no": list(numbers)})
    return {number: contents(record.encode(), ignored) for number, record in records}


def _objects(known: dict[int, Contents], sources: Sequence[Any], ignored: Collection[str]) -> tuple[Any, Any]:
    """The content of an opportunity's prospect and of its lead; `sources` as in `opportunities`."""
    reading_no, older, lead_no, lead_place = sources
    leads = known[lead_no].leads if lead_no in known else ()
    lead = leads[lead_place - 1].content if lead_place and lead_place <= len(leads) else None
    own = known[reading_no].own if reading_no in known else {}
    return {**(content_of(msgspec.json.decode(older), ignored) or {} if older else {}), **own}, lead


def _slices(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (items[begin : begin + AT_ONCE] for begin in range(0, len(items), AT_ONCE))
