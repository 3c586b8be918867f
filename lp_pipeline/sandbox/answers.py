"""What LeadPerfection answers: sign-in, the two reading actions, and the shape in which records are shown.

Belongs here: the contract's rules for an answer. Not here: sockets (server.py), SQL (world.py), trouble (faults.py).
"""

import hashlib
import hmac
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lp_pipeline.sandbox.faults import DENIED, TIMEOUT, Answer, as_json
from lp_pipeline.sandbox.stamps import LEAD_ENTERED, LEAD_KINDS, PROSPECT, Record, id_of, key_of, objects, sortable
from lp_pipeline.sandbox.switches import Switches
from lp_pipeline.sandbox.world import Addition, Row, World

TOKEN_SECONDS = 86_399
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d)?")


@dataclass(frozen=True)
class Request:
    """One call as far as the answer depends on it; field names are in lower case, `now` is LP's clock."""

    world: World
    switches: Switches
    fields: dict[str, str]
    authorization: str
    now: datetime


class Refused(Exception):
    """LP does not take this request, and says so in a 200."""


def answer(path: str, request: Request) -> Answer:
    """LP's answer to a POST, whatever it asks for."""
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
    scheme, _, token = request.authorization.partition(" ")
    expiry, _, signature = token.strip().partition(".")
    if scheme.lower() != "bearer" or not re.fullmatch(r"\d{1,15}", expiry, re.ASCII):
        return False
    right = hmac.compare_digest(signature.encode(), _signature(request.world, int(expiry)).encode())
    return right and request.now.timestamp() < int(expiry)


def _get_lead(request: Request) -> Answer:
    kinds = _number(request, "options") & LEAD_KINDS
    return _read(request, kinds or LEAD_ENTERED, with_leads=True)


def _get_prospect_data(request: Request) -> Answer:
    return _read(request, PROSPECT, with_leads=request.switches["prospect_feed_leads"])


def _read(request: Request, kinds: int, *, with_leads: bool) -> Answer:
    switches = request.switches
    start, end = _moment(request, "startdate"), _moment(request, "enddate")
    if start is None:
        raise Refused("startdate is required.")
    end = end or request.now.replace(tzinfo=None)
    ids = {name: request.fields.get(name, "").strip() for name in ("cst_id", "lds_id", "ils_id")}
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
    if str(switches["broken_record"]) in {row.cst_id for row in rows if row.cst_id}:
        return as_json(500, TIMEOUT)
    return _shown(request, rows, with_leads=with_leads)


def _number(request: Request, name: str) -> int:
    text = request.fields.get(name, "").strip() or "0"
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise Refused(f"{name} is not a number.")
    return int(text)


def _moment(request: Request, name: str) -> datetime | None:
    text = request.fields.get(name, "").strip()
    if not text:
        return None
    try:
        if _DATE.fullmatch(text):
            return datetime.fromisoformat(text)
    except ValueError:
        pass
    raise Refused(f"{name} is not a date (YYYY-MM-DD or YYYY-MM-DD HH:mm:ss, a blank sent as %20).")


def _page(request: Request) -> dict[str, int]:
    size, largest = _number(request, "pagesize"), request.switches["max_page_size"]
    if largest and (not size or size > largest):
        size = largest
    before = max(_number(request, "startindex") - 1, 0)
    return {"limit": size or -1, "offset": before * size if request.switches["paging"] == "page" else before}


def _shown(request: Request, rows: list[Row], *, with_leads: bool) -> Answer:
    switches = request.switches
    if not rows:
        return Answer(200, {"array": b"[]", "null": b"null", "blank": b""}[switches["empty_as"]])
    written = request.world.additions(rows)
    as_stored = with_leads and not written and switches["key_case"] == "as_is" and not switches["numeric_ids"]
    week_ago = sortable((request.now - timedelta(days=7)).replace(tzinfo=None).isoformat(), request.world.zone) or ""
    texts = []
    for row in rows:
        if as_stored and not row.made:
            texts.append(row.text)  # verbatim: what somebody put there arrives byte for byte
            continue
        record = json.loads(row.text)
        if row.made:
            _keep_recent_calls(record, week_ago, request.world)
        _append(record, [addition for addition in written if addition.cst_id == row.cst_id])
        if not with_leads and (key := key_of(record, "leads")):
            del record[key]
        texts.append(json.dumps(_dressed(record, switches), ensure_ascii=False))
    whole = texts[0] if len(texts) == 1 and switches["single_object"] else f"[{','.join(texts)}]"
    return Answer(200, whole.encode())


def _keep_recent_calls(record: Record, week_ago: str, world: World) -> None:
    if isinstance(record.get("calls"), list):
        record["calls"] = [
            call for call in record["calls"] if (sortable(call["calldatetime"], world.zone) or "") >= week_ago
        ]


def _append(record: Record, written: list[Addition]) -> None:
    for addition in written:
        owners = [record]
        if addition.lead_id:
            owners = [lead for lead in objects(record, "leads") if id_of(lead, "id") == addition.lead_id]
        for owner in owners:
            key = key_of(owner, addition.array) or addition.array
            kept = owner[key] if isinstance(owner.get(key), list) else []
            owner[key] = [*kept, addition.element]


def _dressed(value: Any, switches: Switches, key: str = "") -> Any:
    """The same value under this tenant's habits: the casing of keys, and ids as numbers."""
    if isinstance(value, dict):
        return {_cased(name, switches["key_case"]): _dressed(item, switches, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_dressed(item, switches) for item in value]
    is_id = key.lower() == "id" or key.lower().endswith("_id")
    if switches["numeric_ids"] and is_id and isinstance(value, str) and value.isdecimal():
        return int(value)
    return value


def _cased(key: str, style: str) -> str:
    if style == "as_is":
        return key
    if style == "upper":
        return key.upper()
    parts = [part[:1].upper() + part[1:] for part in key.split("_")]
    return ("" if style == "pascal" else "_").join(parts)


ACTIONS: dict[str, tuple[str, Callable[[Request], Answer]]] = {
    "/api/customers/getlead": ("GetLead", _get_lead),
    "/api/customers/getprospectdata": ("GetProspectData", _get_prospect_data),
}
