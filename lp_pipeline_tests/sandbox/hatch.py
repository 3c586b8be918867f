"""A minimal client for Hatch's contract.

Belongs here: what several tests of the sandbox's Hatch share. Not here: the pipeline's own client.
"""

import io
import json
import zipfile
from typing import Any

import httpx

UPSERT, EXPORT = "/v1/contacts", "/api/v1/export-data"
ITEMS, HISTORY = "conversation_items", "contact_history"


class Hatch:
    """Upserts and exports with the sandbox's keys."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http
        self.headers = {"Authorization": "Bearer sandbox"}

    def put(self, **fields: object) -> httpx.Response:
        """One upsert; returns any response."""
        body = {"source": "custom:leadperfection", **fields}
        return self.http.put(UPSERT, json=body, headers=self.headers)

    def upsert(self, **fields: object) -> str:
        """The contact's id."""
        answer = self.put(**fields)
        assert answer.status_code == 200, answer.text
        assert list(answer.json()) == ["data"]
        return str(answer.json()["data"]["id"])

    def wrong(self, **fields: object) -> list[str]:
        """The field pointers of a rejected upsert."""
        answer = self.put(**fields)
        assert answer.status_code == 422, answer.text
        errors = answer.json()["errors"]
        assert all(error["title"] and error["detail"] for error in errors)
        return [error["source"]["pointer"] for error in errors]

    def ask(self, source: str = ITEMS, start: str = "2026-02-01", end: str = "2026-03-31") -> httpx.Response:
        """One export; returns any response."""
        params = {"data_source": source, "start_date": start, "end_date": end}
        return self.http.get(EXPORT, params=params, headers=self.headers)

    def export(self, source: str = ITEMS, start: str = "2026-02-01", end: str = "2026-03-31") -> list[dict[str, Any]]:
        """The rows of an export."""
        answer = self.ask(source, start, end)
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"] == "application/zip"
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            (name,) = archive.namelist()
            return [json.loads(line) for line in archive.read(name).decode().splitlines()]
