"""Hatch's Bulk Export: the rows of a date range as one zip file, within its limits (section 2 of its contract).

Belongs here: parameters, limits, the file. Not here: the rows themselves (contacts.py,
conversations.py).
"""

import io
import zipfile
from datetime import date, datetime, timedelta

from lp_pipeline.sandbox.faults import Answer
from lp_pipeline.sandbox.hatch.contacts import FIND, exported
from lp_pipeline.sandbox.hatch.validation import invalid, said, too_many
from lp_pipeline.sandbox.request import Request

LONGEST = timedelta(days=180)
ZIP_TYPE = "application/zip"


def export(request: Request) -> Answer:
    """The response to an export request."""
    switches, source = request.switches, request.text("data_source")
    start, end = _day(request, "start_date"), _day(request, "end_date")
    if source not in FIND:
        return invalid({"data_source": f"Expected {' or '.join(FIND)}"})
    if start is None or end is None:
        return invalid({"end_date" if start else "start_date": "Expected a date (YYYY-MM-DD)"})
    if not timedelta(0) <= end - start <= LONGEST:
        return invalid({"end_date": f"The range must be of 0 to {LONGEST.days} days"})
    known = request.instant.astimezone(request.world.zone).date() - timedelta(days=switches["export_lag_days"])
    days = (start.isoformat(), min(end, known).isoformat())
    with request.world.writing():  # so that two concurrent requests can't both pass the limit
        lately = _lately(request)
        if not _allowed(request, lately):
            return too_many(request)
        lines = exported(request.world, source, days, switches["export_time_column"])
        content = "".join(f"{line}\n" for line in lines).encode()
        if 0 < switches["export_max_bytes"] < len(content):
            return said(413, "The export is too large. Ask for a shorter range.")
        request.world.keep("exports", [*lately, request.instant.isoformat()])
    return Answer(200, _zipped(f"{source}_{start}_{end}.json", content), ZIP_TYPE)


def _day(request: Request, name: str) -> date | None:
    try:
        return datetime.strptime(request.text(name), "%Y-%m-%d").date()  # noqa: DTZ007
    except ValueError:
        return None


def _lately(request: Request) -> list[str]:
    """The times of the exports in the last 24 hours, oldest first."""
    day_ago = (request.instant - timedelta(days=1)).isoformat()
    return [at for at in request.world.fact("exports", []) if day_ago < at <= request.instant.isoformat()]


def _allowed(request: Request, lately: list[str]) -> bool:
    pause, most = timedelta(minutes=request.switches["export_minutes_between"]), request.switches["export_per_day"]
    too_soon = lately and request.instant - datetime.fromisoformat(lately[-1]) < pause
    return not too_soon and not 0 < most <= len(lately)


def _zipped(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return file.getvalue()
