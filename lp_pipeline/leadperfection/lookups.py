"""Looking one prospect up by its id (contract, section 4): what LeadPerfection shows of it now."""

from datetime import timedelta
from typing import Any

import msgspec

from lp_pipeline.leadperfection.answers import identity
from lp_pipeline.leadperfection.client import Client
from lp_pipeline.leadperfection.feeds import Feed, feeds
from lp_pipeline.settings import Settings

EVER = "2000-01-01 00:00:00"  # an id with a narrow window was seen to return somebody else


def look_up(client: Client, settings: Settings, cst_id: str) -> dict[str, Any] | None:
    """The prospect's record as either feed's action shows it now; None if neither shows one with this id."""
    found = find(client, settings, cst_id)
    return msgspec.json.decode(found[1]) if found else None


def find(client: Client, settings: Settings, cst_id: str) -> tuple[Feed, bytes] | None:
    """The same verbatim, with the feed whose action showed it."""
    until = (settings.now() + timedelta(days=1)).astimezone(settings.zone).strftime("%Y-%m-%d %H:%M:%S")
    for feed in feeds(settings):
        if feed is None:
            continue
        fields = {
            "startdate": EVER,
            "enddate": until,
            "cst_id": cst_id,
            "lds_id": "0",
            "ils_id": "0",
            "options": str(feed.options),
            "PageSize": str(settings.lp_page_size),
            "StartIndex": "1",
        }
        for record in client.call(feed.action, fields).records:
            value = msgspec.json.decode(record)
            if isinstance(value, dict) and identity(value) == cst_id:
                return feed, record
    return None
