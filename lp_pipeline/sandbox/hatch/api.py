"""Hatch's responses: API keys, and the upsert of a contact's opportunity (section 1 of its contract).

Belongs here: paths, keys, the rate limit. Not here: body validation (validation.py), storage (contacts.py), the
export (export.py), LeadPerfection.
"""

import json
import time
from collections.abc import Callable

from lp_pipeline.sandbox.faults import Answer, as_json
from lp_pipeline.sandbox.hatch import contacts
from lp_pipeline.sandbox.hatch.export import export
from lp_pipeline.sandbox.hatch.validation import complaints, invalid, said, too_many
from lp_pipeline.sandbox.request import JSON, Request

WINDOW = 10  # seconds


def owns(path: str) -> bool:
    """Whether a path is Hatch's rather than LeadPerfection's."""
    return path.startswith(("/v1/", "/api/v1/"))


def answer(request: Request) -> Answer:
    """Hatch's response to any request."""
    known = ACTIONS.get(request.call.path)
    if known is None:
        return said(404, "Not Found")
    methods, key, action = known
    if request.call.method not in methods:
        return said(405, "Method Not Allowed")
    if request.bearer != request.switches[key]:
        return said(401, "Unauthorized")
    return action(request)


def _contacts(request: Request) -> Answer:
    if _over_limit(request):
        return too_many(request)
    if request.call.content_type != JSON:
        return said(415, "Unsupported Media Type")
    try:
        body = json.loads(request.call.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return said(400, "Bad Request")
    if errors := complaints(request, body):
        return invalid(errors)
    return as_json(200, {"data": {"id": contacts.upsert(request.world, body, request.instant)}})


def _over_limit(request: Request) -> bool:
    """Uses this machine's clock, because clients wait in real time."""
    limit, world, now = request.switches["hatch_limit"], request.world, time.time()
    if not limit:
        return False
    with world.writing():
        world.run("delete from upsert_calls where at <= ?", (now - WINDOW,))
        if world.select("select count(*) from upsert_calls")[0][0] >= limit:
            return True
        world.run("insert into upsert_calls values (?)", (now,))
    return False


ACTIONS: dict[str, tuple[tuple[str, ...], str, Callable[[Request], Answer]]] = {
    "/v1/contacts": (("PUT", "POST"), "hatch_api_key", _contacts),
    "/api/v1/export-data": (("GET",), "hatch_export_key", export),
}
