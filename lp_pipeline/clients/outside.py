"""The way out to servers beyond this machine: the proxy and the certificate authorities that the environment names, and
in plain words what is wrong with either. Values of these variables are never shown: they may hold a password (SPEC R4).
"""

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from urllib.parse import SplitResult
from urllib.request import getproxies, proxy_bypass

import httpx

from lp_pipeline.clients.retry import PermanentError

SOCKS = ("socks5", "socks5h")
EXPIRED, MISNAMED = (9, 10), (62, 64)  # OpenSSL's codes of certificates that are not valid now, or for another name


@dataclass(frozen=True)
class Proxy:
    """A proxy, and the variable that names it."""

    variable: str
    url: str

    def for_httpx(self, trusted: ssl.SSLContext) -> httpx.Proxy:
        """As httpx takes it. Raises `PermanentError` for an address that is none, or a kind that is not supported."""
        how = f"et {self.variable} to an address like http://proxy.example.com:8080, or remove it."
        try:
            secure = httpx.URL(self.url).scheme == "https"
            proxy = httpx.Proxy(self.url, ssl_context=trusted if secure else None)
        except (ValueError, httpx.InvalidURL):
            proxy = None
        if proxy is None or not proxy.url.host:
            raise PermanentError(f"{self.variable} is not the address of a proxy. S{how}")
        if proxy.url.scheme in SOCKS and find_spec("socksio") is None:
            raise PermanentError(
                f"{self.variable} names a SOCKS proxy, and the package for these is not installed. Install it with  "
                f"pip install 'httpx[socks]'  or s{how}"
            )
        return proxy

    def refusal(self, said: str) -> str | None:
        """What to do about a proxy's answer to CONNECT, such as `407 Proxy Authentication Required`; None if it may
        pass by itself."""
        status = said.partition(" ")[0]
        if status == "407":
            return (
                f"the proxy that {self.variable} names asks for a user and password (HTTP 407). Put them into "
                f"{self.variable}: http://user:password@proxy.example.com:8080"
            )
        if status[:1] == "4" and status not in ("408", "425", "429"):
            return f"the proxy that {self.variable} names does not let us through (HTTP {status}). Ask who runs it."
        return None


def proxy_for(address: SplitResult) -> Proxy | None:
    """The proxy on the way to this address; None for none, as NO_PROXY (names, addresses, ranges) may say."""
    known = getproxies()
    key = address.scheme if known.get(address.scheme) else "all"
    if not (url := known.get(key)) or _is_exempt(address, known):
        return None
    names = (f"{key}_proxy", f"{key.upper()}_PROXY")
    variable = next((name for name in names if os.environ.get(name)), "the proxy setting of this system")
    return Proxy(variable, url if "://" in url else f"http://{url}")


def _is_exempt(address: SplitResult, known: Mapping[str, str]) -> bool:
    entries = [entry.strip().strip("[]") for entry in known.get("no", "").split(",")]
    if "*" in entries or proxy_bypass(address.netloc):
        return True
    try:
        ip = ip_address(address.hostname or "")
    except ValueError:
        return False
    return any(ip in network for network in map(_range, entries) if network)


def _range(entry: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(entry, strict=False)
    except ValueError:
        return None


def trusted() -> ssl.SSLContext:
    """The certificate authorities that SSL_CERT_FILE or SSL_CERT_DIR names, else certifi's; raises `PermanentError` if
    what is named can't be used."""
    return _trusted(os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", ""))


@cache  # to load them for every client takes longer than many a request
def _trusted(file: str, folders: str) -> ssl.SSLContext:
    if not file and folders and not any(Path(each).is_dir() for each in folders.split(os.pathsep)):
        raise PermanentError(f"SSL_CERT_DIR names {folders}, which is not a folder. Correct it, or remove it.")
    try:
        if file:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
    except OSError as error:  # ssl's own is one, too
        reason = (error.strerror or type(error).__name__).lower()
        problem = "holds no certificate" if isinstance(error, ssl.SSLError) else f"can't be read ({reason})"
    else:
        return _context()
    raise PermanentError(
        f"SSL_CERT_FILE names {file}, which {problem}. Set it to a PEM file with certificate authorities, or remove it."
    )


def _context() -> ssl.SSLContext:
    try:
        return httpx.create_ssl_context()
    except OSError:
        if not (log := os.environ.get("SSLKEYLOGFILE")):
            raise
    raise PermanentError(f"SSLKEYLOGFILE names {log}, which can't be written. Correct it, or remove it.")


def distrust(error: ssl.SSLCertVerificationError, setting: str) -> str:
    """Why a server's certificate is not trusted, and what to do; `setting` holds the server's address."""
    given = next((name for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(name)), None)
    if error.verify_code in EXPIRED:
        advice = "If this machine's date is right, the owner of that server must renew it."
    elif error.verify_code in MISNAMED:
        advice = f"Check {setting}."
    elif given:
        advice = (
            f"{given} is set, so only what it holds is trusted. Add the authority that issued it, or remove {given}."
        )
    else:
        advice = (
            "If your network inspects TLS, or that server has an authority of its own, set SSL_CERT_FILE to a PEM file "
            "with that authority and the public ones."
        )
    return f"its certificate can't be trusted: {error.verify_message.rstrip('.')}. {advice}"
