"""Looking one prospect up by its id (contract, section 4): what LeadPerfection shows of it now."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from lp_pipeline.clients.json_values import id_of
from lp_pipeline.clients.leadperfection.client import Client
from lp_pipeline.clients.leadperfection.feeds import Feed, feeds
from lp_pipeline.clients.leadperfection.responses import identity, lookup
from lp_pipeline.settings import Settings

EVER = "2000-01-01 00:00:00"  # an id with a narrow window was seen to return somebody else


def look_up(client: Client, settings: Settings, cst_id: str, keys: Sequence[str]) -> dict[str, Any] | None:
    """The prospect's record as LeadPerfection shows it now, keys in lower case; None if no feed shows one with this id.

    The other feed is asked too for those of the `keys` that the first one leaves out.
    """
    record: dict[str, Any] | None = None
    for _, text in _shown(client, settings, cst_id):
        fields = {name.lower(): value for name, value in msgspec.json.decode(text).items()}
        record = {**fields, **(record or {})}
        if all(key in record for key in keys):
            break
    return record


def find(client: Client, settings: Settings, cst_id: str) -> tuple[Feed, bytes] | None:
    """The prospect's record verbatim, with the feed whose action shows it; None if neither shows one with this id."""
    return next(_shown(client, settings, cst_id), None)


def find_lead(client: Client, settings: Settings, lead_id: str) -> tuple[Feed, bytes] | None:
    """The record of a prospect that has this lead, likewise; None if neither feed shows one."""
    return next(_shown(client, settings, lead_id, by="lds_id"), None)


def _shown(client: Client, settings: Settings, wanted: str, by: str = "cst_id") -> Iterator[tuple[Feed, bytes]]:
    until = (settings.now() + timedelta(days=1)).astimezone(settings.zone).strftime("%Y-%m-%d %H:%M:%S")
    for feed in feeds(settings):
        if feed is None:
            continue
        fields = {
            "startdate": EVER,
            "enddate": until,
            **dict.fromkeys(("cst_id", "lds_id", "ils_id"), "0"),
            by: wanted,
            "options": str(feed.options),
            "PageSize": str(settings.lp_page_size),
            "StartIndex": "1",
        }
        for record in client.call(feed.action, fields).records:
            value = msgspec.json.decode(record)
            # it may answer with somebody else
            if isinstance(value, dict) and wanted in ([identity(value)] if by == "cst_id" else _lead_ids(value)):
                yield feed, record
                break


def _lead_ids(record: dict[str, Any]) -> list[str | None]:
    leads = lookup(record, "leads")
    return [id_of(lookup(lead, "id")) for lead in leads] if isinstance(leads, list) else []
