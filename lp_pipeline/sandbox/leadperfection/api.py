"""LeadPerfection's responses: sign-in, permissions, and the two read actions.

Belongs here: the contract's rules for a response. Not here: sockets (server.py), SQL (world/store.py), faults
(faults.py), the format of records (render.py), writes (writes.py).
"""

import hashlib
import hmac
import re
from collections.abc import Callable
from datetime import timedelta

from lp_pipeline.sandbox.faults import DENIED, TIMEOUT, Answer, as_json
from lp_pipeline.sandbox.leadperfection import writes
from lp_pipeline.sandbox.leadperfection.render import shown
from lp_pipeline.sandbox.request import FORM, Refused, Request
from lp_pipeline.sandbox.world.stamps import LEAD_ENTERED, LEAD_KINDS, PROSPECT, Record
from lp_pipeline.sandbox.world.store import World

TOKEN_SECONDS = 86_399


def answer(request: Request) -> Answer:
    """LP's response to any request."""
    if request.call.method != "POST":
        return as_json(405, {"Message": "POST only."})
    if request.call.content_type != FORM:
        return as_json(400, {"Message": f"The request is invalid: send {FORM}."})
    path = request.call.path
    if path.lower() == "/token":
        return _token(request)
    known = ACTIONS.get(path.lower())
    if known is None:
        return as_json(404, {"Message": f"No HTTP resource was found that matches the request URI '{path}'."})
    name, action = known
    if not _signed_in(request) or name not in request.switches["permissions"]:
        return as_json(401, DENIED)
    try:
        return action(request)
    except Refused as refusal:
        return as_json(200, [{"Result": 0, "Message": f"Error: {refusal}"}])


def _token(request: Request) -> Answer:
    fields, switches = request.fields, request.switches
    if fields.get("grant_type") != "password":
        return as_json(400, {"error": "unsupported_grant_type"})
    right = all(fields.get(name) == switches[name] for name in ("clientid", "username", "password", "appkey"))
    if not right or switches["refuse_sign_in"]:
        words = "The user name, password, client id or app key is incorrect."
        return as_json(400, {"error": "invalid_grant", "error_description": words})
    expiry = int(request.now.timestamp()) + TOKEN_SECONDS
    token = f"{expiry}.{_signature(request.world, expiry)}"
    body: Record = {"access_token": token, "token_type": "bearer", "expires_in": TOKEN_SECONDS}
    if switches["user_data"]:
        body["user_data"] = {"Emp_ID": 64, "Settings": switches["permissions"]}
    return as_json(200, body)


def _signature(world: World, expiry: int) -> str:
    return hmac.new(world.fact("secret").encode(), str(expiry).encode(), hashlib.sha256).hexdigest()


def _signed_in(request: Request) -> bool:
    expiry, _, signature = request.bearer.partition(".")
    if not re.fullmatch(r"\d{1,15}", expiry, re.ASCII):
        return False
    right = hmac.compare_digest(signature.encode(), _signature(request.world, int(expiry)).encode())
    return right and request.now.timestamp() < int(expiry)


def _get_lead(request: Request) -> Answer:
    kinds = request.number("options") & LEAD_KINDS
    return _read(request, kinds or LEAD_ENTERED, with_leads=True)


def _get_prospect_data(request: Request) -> Answer:
    return _read(request, PROSPECT, with_leads=request.switches["prospect_feed_leads"])


def _read(request: Request, kinds: int, *, with_leads: bool) -> Answer:
    switches = request.switches
    start, end = request.moment("startdate"), request.moment("enddate")
    if start is None:
        raise Refused("startdate is required.")
    end = end or request.now.replace(tzinfo=None)
    ids = {name: request.text(name) for name in ("cst_id", "lds_id", "ils_id")}
    ids = {name: "" if not value.strip("0") else value for name, value in ids.items()}
    if switches["narrow_window_ignores_ids"] and end - start < timedelta(days=1):
        ids = dict.fromkeys(ids, "")
    slow = switches["slow_window_hours"]
    if slow and not any(ids.values()) and end - start > timedelta(hours=slow):
        return as_json(500, TIMEOUT)
    fraction = "9999999" if switches["end_inclusive_second"] else "0000000"
    page = {
        "start": f"{start:%Y-%m-%dT%H:%M:%S}.0000000",
        "end": f"{end:%Y-%m-%dT%H:%M:%S}.{fraction}",
        "kinds": kinds,
        "order": switches["order"],
        **ids,
        **_page(request),
    }
    rows = request.world.window(page) if start <= end else []
    if rows and page["offset"] and switches["empty_page_first"] and _is_new(request):
        rows = []
    if str(switches["broken_record"]) in {row.cst_id for row in rows if row.cst_id}:
        return as_json(500, TIMEOUT)
    return shown(request, rows, with_leads=with_leads)


def _page(request: Request) -> dict[str, int]:
    size, largest = request.number("pagesize"), request.switches["max_page_size"]
    if largest and (not size or size > largest):
        size = largest
    before = max(request.number("startindex") - 1, 0)
    offsets = {"page": before * size, "row": before, "nothing": 0}
    return {"limit": size or -1, "offset": offsets[request.switches["paging"]]}


def _is_new(request: Request) -> bool:
    """Whether this request differs from the previous one."""
    asked = [request.call.path, request.fields]
    if request.world.fact("asked") == asked:
        return False
    request.world.keep("asked", asked)
    return True


ACTIONS: dict[str, tuple[str, Callable[[Request], Answer]]] = {
    "/api/customers/getlead": ("GetLead", _get_lead),
    "/api/customers/getprospectdata": ("GetProspectData", _get_prospect_data),
    **writes.ACTIONS,
}
