"""`doctor`'s checks of Hatch, both ways. No call of Hatch's shows whether it takes a key and a source without writing
something, so the last delivery and the last export tell; nothing is sent here.
"""

from datetime import timedelta
from urllib.parse import urlsplit

import httpx

from lp_pipeline.clients.http import Exchange
from lp_pipeline.clients.retry import TransientError
from lp_pipeline.errors import SettingsError
from lp_pipeline.insight.examination import Examination, Finding, fail, ok, unknown
from lp_pipeline.insight.words import length
from lp_pipeline.runs.reports import DeliveryOutcome, ExportOutcome, last
from lp_pipeline.storage.outbox import Outbox, instant_of

REFUSED = (401, 403)
INBOX_SECONDS = 10.0
SMALL = 10_000  # bytes


def deliveries(examination: Examination) -> Finding:
    """That Hatch is there, and took the last delivery. Raises `HatchError`, `SettingsError`."""
    settings, outbox = examination.settings, examination.connections.outbox
    if not settings.delivers:
        return unknown("off (no HATCH_API_KEY): nothing is sent to Hatch")
    if not settings.hatch_source:
        raise SettingsError("HATCH_API_KEY is set, but HATCH_SOURCE is not. Set it to the custom source's API name.")
    outcome = last(outbox, DeliveryOutcome)
    if outcome and outcome.stopped:
        return fail("Hatch stopped the last delivery", outcome.stopped)
    status = examination.connections.hatch().knock().status
    if status in REFUSED:
        return fail(f"Hatch refuses the key (HTTP {status})", "Check HATCH_API_KEY and HATCH_API_URL.")
    host = urlsplit(settings.hatch_api_url).hostname if settings.lp_api_url else "the sandbox's Hatch"
    if ago := _ago(examination, outbox, "last_delivered", "delivered_at"):
        return ok(f'{host} took the last delivery {ago} ago, source "{settings.hatch_source}"')
    return unknown(f"{host} is there; key and source can't be checked without sending: the first delivery shows it")


def communications(examination: Examination) -> Finding:
    """That what happens in Hatch can come back: by the export, or by the inbox."""
    settings, outbox = examination.settings, examination.connections.outbox
    if settings.communications_from == "inbox":
        return _inbox(examination)
    if not settings.exports:
        return unknown("off (no HATCH_EXPORT_KEY): no communications come from Hatch")
    outcome = last(outbox, ExportOutcome)
    if outcome and (problem := outcome.stopped or outcome.unavailable):
        return fail("the last export failed", problem)
    if ago := _ago(examination, outbox, "last_export", "requested_at"):
        return ok(f"Hatch's export, last read {ago} ago")
    return unknown("Hatch's export, not read yet; Hatch allows few, so the first sync shows it")


def _inbox(examination: Examination) -> Finding:
    if not examination.settings.inbox_secret.get_secret_value():
        return fail("the inbox has no secret", "Set INBOX_SECRET. Create one with:  openssl rand -hex 32")
    port = examination.inbox_port
    address = f"http://127.0.0.1:{port}"
    exchange = Exchange("The inbox", address, None, INBOX_SECONDS, INBOX_SECONDS, SMALL)
    try:
        received = exchange.send("GET", "/health")
    except TransientError:
        return fail(
            f"no inbox answers on port {port} of this machine",
            "Start it:  lp-pipeline inbox  (for another port, give doctor --inbox-port)",
        )
    finally:
        exchange.close()
    if received.status != httpx.codes.OK:
        return fail(f"the inbox on port {port} can't store anything (HTTP {received.status})", "See what its log says.")
    return ok(f"the inbox answers on port {port}")


def _ago(examination: Examination, outbox: Outbox, query: str, column: str) -> str | None:
    """How long ago something last happened, in words; None if it never did."""
    found = [row[column] for row in outbox.rows(query) if row[column]]
    if not found:
        return None
    return length(max(timedelta(), examination.settings.now() - instant_of(found[0])))
