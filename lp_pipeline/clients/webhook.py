"""One request to somebody's webhook: an alert, or a heartbeat. Its address is a secret: it is in no message and no log
(SPEC R4). Short and bounded, without retries: whoever calls tries again later.
"""

from urllib.parse import urlsplit

import httpx
from pydantic import SecretStr

from lp_pipeline.clients.http import Exchange
from lp_pipeline.clients.retry import PermanentError, TransientError

READ_TIMEOUT, PATIENCE = 5.0, 8.0  # seconds
LARGEST = 64 * 1024


def post(url: SecretStr, setting: str, content: bytes, transport: httpx.BaseTransport | None = None) -> str | None:
    """Post JSON to the address that `setting` names; None if it was accepted, else why not and what to do."""
    return _request("POST", url, setting, content, transport)


def get(url: SecretStr, setting: str, transport: httpx.BaseTransport | None = None) -> str | None:
    """Request it; None if it was answered well, else why not and what to do."""
    return _request("GET", url, setting, None, transport)


def _request(
    method: str, url: SecretStr, setting: str, content: bytes | None, transport: httpx.BaseTransport | None
) -> str | None:
    parts = urlsplit(url.get_secret_value())
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    host = f"{parts.scheme}://{parts.netloc}"
    exchange = Exchange("The server", host, transport, READ_TIMEOUT, PATIENCE, LARGEST, setting=setting)
    try:
        status = exchange.send(method, path, content=content).status
    except (TransientError, PermanentError) as error:
        return f"The address in {setting} can't be reached: {str(error).rstrip('.')}."
    finally:
        exchange.close()
    if 200 <= status < 300:
        return None
    return f"The address in {setting} answered HTTP {status}. {_advice(status, setting)}"


def _advice(status: int, setting: str) -> str:
    if 300 <= status < 500 and status not in (408, 425, 429):
        return f"Copy {setting} again from the service that gave it to you."
    return "It is tried again."
