"""A clock that tests can set, and a minimal client for the contract.

Belongs here: what several tests of the sandbox share. Not here: the pipeline's own client.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import httpx

NOON = datetime(2026, 3, 2, 17, tzinfo=UTC)  # 12:00 in New York
ACCOUNT = dict.fromkeys(("username", "password", "clientid", "appkey"), "sandbox")
FORM = "application/x-www-form-urlencoded"
LEAD, PROSPECT = "/api/Customers/GetLead", "/api/Customers/GetProspectData"
NOTE, JOB_NOTE = "/api/SalesApi/AddNotes", "/api/Installer/AddInstallerJobNotes"
CALL = "/api/Customers/AddCallHistory"
MORNING = {"startdate": "2026-03-02 00:00:00", "enddate": "2026-03-02 12:00:00"}


class Clock:
    """A clock that changes only when it is set."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **by: float) -> None:
        """Move the clock forward or back."""
        self.now += timedelta(**by)


class LP:
    """Calls with forms and a token."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http
        self.headers: dict[str, str] = {}

    def post(self, path: str, **fields: object) -> httpx.Response:
        """One call; returns any response."""
        form = urlencode({name: str(value) for name, value in fields.items()}, quote_via=quote)
        return self.http.post(path, content=form, headers={"Content-Type": FORM, **self.headers})

    def sign_in(self) -> httpx.Response:
        """Get a token and use it from now on."""
        answer = self.post("/token", grant_type="password", **ACCOUNT)
        self.headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        return answer

    def read(self, path: str = LEAD, **fields: object) -> Any:
        """A call's response as JSON; by default everything changed this morning, as the pipeline requests it."""
        return json.loads(self.text(path, **fields))

    def text(self, path: str = LEAD, **fields: object) -> str:
        """A call's response as text."""
        answer = self.post(path, **{**MORNING, "PageSize": 50, "StartIndex": 1, "options": 60416, **fields})
        assert answer.status_code == 200, answer.text
        return answer.text

    def write(self, path: str, **fields: object) -> Any:
        """A write's response as JSON."""
        answer = self.post(path, **fields)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ids(self, path: str = LEAD, **fields: object) -> list[str]:
        """The ids in a call's response, in order."""
        return [str(record["cst_id"]) for record in self.read(path, **fields)]

    def pages(self, path: str = LEAD, **fields: object) -> list[dict[str, Any]]:
        """All pages of a window."""
        records: list[dict[str, Any]] = []
        for number in range(1, 1000):
            page = self.read(path, **{"PageSize": 50, **fields, "StartIndex": number})
            records += page
            if len(page) < int(str(fields.get("PageSize", 50))):
                break
        return records


def prospect(cst_id: object, stamp: str = "2026-03-02T09:00:00", **more: Any) -> dict[str, Any]:
    """A prospect that changed this morning, with a lead that changed this morning."""
    lead = {"id": f"{cst_id}0", "dateentered": stamp, "lastchangedon": stamp, "disposition": "New"}
    return {"cst_id": cst_id, "dateadded": "2025-01-01T08:00:00", "lastchanged": stamp, "leads": [lead], **more}
