"""Reads both feeds as anybody would who knows the contract: what the limits, the straight line and dlt share.

Imports nothing but the standard library: dlt runs in an environment of its own.
"""

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

FEEDS = {"leads": "GetLead", "prospects": "GetProspectData"}
PAGE_SIZE = 480  # divides none of our sizes: who meets an empty page after a full one asks again, 2 s later
WINDOW = {"startdate": "2026-01-01 00:00:00", "enddate": "2026-01-01 00:20:00", "PageSize": PAGE_SIZE}


class Reader:
    """One connection, signed in."""

    def __init__(self, address: str) -> None:
        self._connection = http.client.HTTPConnection(address.removeprefix("http://"))
        self._headers = {"Content-Type": "application/x-www-form-urlencoded"}
        self.token = json.loads(self._post("/token", {"grant_type": "password"}))["access_token"]
        self._headers["Authorization"] = f"Bearer {self.token}"

    def pages(self, feed: str) -> Iterator[bytes]:
        """The pages of a feed, as received, to its end: a page that is not full is the last one."""
        start = 1
        while True:
            page = self._post(f"/api/Customers/{FEEDS[feed]}", {**WINDOW, "StartIndex": start})
            if len(page) > 2:
                yield page
            if page.count(b'"cst_id"') < PAGE_SIZE:
                return
            start += 1

    def _post(self, path: str, form: dict[str, Any]) -> bytes:
        self._connection.request("POST", path, urlencode(form), self._headers)
        return self._connection.getresponse().read()
