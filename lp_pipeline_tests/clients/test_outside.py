"""Proxies and certificates: what the environment names is used, or one message says what is wrong with it (SPEC R3)."""

import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme

from lp_pipeline.clients.hatch import HatchClient
from lp_pipeline.clients.http import Exchange
from lp_pipeline.clients.leadperfection import Client
from lp_pipeline.clients.outside import proxy_for
from lp_pipeline.clients.retry import PermanentError
from lp_pipeline.errors import HatchStopped, LeadPerfectionError
from lp_pipeline.settings import REPOSITORY, load_settings
from lp_pipeline_tests.clients.servers import proxy, tls_server
from lp_pipeline_tests.scenario import LIVE

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")
SECRET = "hunter2"
OUTSIDE = "https://lp.example"
NOW = datetime.now(UTC)
CA = trustme.CA()
GOOD = CA.issue_cert("localhost", "lp.example")
EXPIRED = CA.issue_cert("localhost", not_before=NOW - timedelta(9), not_after=NOW - timedelta(2))
SOMEBODY_ELSES = CA.issue_cert("other.example")


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def authority(tmp_path: Path) -> str:
    """A file with the authority that issued all certificates here."""
    path = tmp_path / "authority.pem"
    CA.cert_pem.write_to_path(path)
    return str(path)


def refusal(address: str = OUTSIDE) -> str:
    with pytest.raises(PermanentError) as caught:
        Exchange("LeadPerfection", address, None, 5.0, 5.0, 1000, "LP_API_URL").send("POST", "/", content=b"")
    assert SECRET not in str(caught.value)
    return str(caught.value)


def unreachable() -> str:
    """What the LeadPerfection outside could not be reached for."""
    settings = load_settings({**LIVE, "LP_API_URL": OUTSIDE})
    with Client(settings, pace=0.0) as client, pytest.raises(LeadPerfectionError) as caught:
        client.sign_in()
    return str(caught.value)


def test_a_certificate_of_an_authority_that_is_named_is_trusted(
    authority: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R3: SSL_CERT_FILE is what a company with an authority of its own sets."""
    monkeypatch.setenv("SSL_CERT_FILE", authority)
    with tls_server(GOOD) as (port, seen):
        exchange = Exchange("LeadPerfection", f"https://localhost:{port}", None, 5.0, 5.0, 1000)
        assert exchange.send("POST", "/", content=b"").body == b"[1]"
        exchange.close()
    assert seen == ["handshake for localhost", "/"]


@pytest.mark.parametrize(
    ("certificate", "variable", "said"),
    [
        (GOOD, "", "set SSL_CERT_FILE to a PEM file"),
        (GOOD, "SSL_CERT_DIR", "Add the authority that issued it, or remove SSL_CERT_DIR"),
        (EXPIRED, "SSL_CERT_FILE", "has expired. If this machine's date is right"),
        (SOMEBODY_ELSES, "SSL_CERT_FILE", "not valid for 'localhost'. Check LP_API_URL"),
    ],
    ids=["unknown authority", "not in the folder", "expired", "another host's"],
)
def test_a_certificate_that_cannot_be_trusted_is_tried_once_and_the_message_says_what_to_do(
    certificate: trustme.LeafCert,
    variable: str,
    said: str,
    authority: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """R3: it does not pass by itself; nothing was sent."""
    if variable:
        monkeypatch.setenv(variable, authority if variable == "SSL_CERT_FILE" else str(tmp_path))
    with tls_server(certificate) as (port, seen):
        settings = load_settings({**LIVE, "LP_API_URL": f"https://localhost:{port}"})
        with Client(settings, pace=0.0) as client, pytest.raises(LeadPerfectionError) as caught:
            client.sign_in()
    assert f"can't be reached at https://localhost:{port}: its certificate can't be trusted: " in str(caught.value)
    assert said in str(caught.value)
    assert seen == ["handshake for localhost"]


def test_hatch_stops_at_a_certificate_that_cannot_be_trusted() -> None:
    """D3: like a key that is not accepted, for upserts and exports."""
    with tls_server(GOOD) as (port, seen):
        address = f"https://localhost:{port}"
        urls = {"HATCH_API_URL": address, "HATCH_EXPORT_URL": address, "HATCH_EXPORT_KEY": "key"}
        settings = load_settings({**LIVE, "HATCH_API_KEY": "key", "HATCH_SOURCE": "custom:x", **urls})
        with HatchClient(settings, pace=0.0) as client:
            with pytest.raises(HatchStopped, match=r"Hatch can't be reached .* SSL_CERT_FILE"):
                client.upsert({})
            with pytest.raises(HatchStopped, match=r"Hatch can't be reached .* SSL_CERT_FILE"):
                client.export("conversation_items", date(2026, 3, 1), date(2026, 3, 1))
    assert seen == ["handshake for localhost"] * 2


@pytest.mark.parametrize(
    ("variable", "content", "said"),
    [
        ("SSL_CERT_FILE", None, "which can't be read (no such file"),
        ("SSL_CERT_FILE", "", "which holds no certificate"),
        ("SSL_CERT_FILE", "not a certificate", "which holds no certificate"),
        ("SSL_CERT_DIR", None, "which is not a folder"),
        ("SSL_CERT_DIR", "a file", "which is not a folder"),
    ],
)
def test_authorities_that_are_not_there_are_named(
    variable: str, content: str | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R3: by the variable and its path."""
    path = tmp_path / "authorities"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv(variable, str(path))
    assert f"{variable} names {path}, {said}" in refusal()


def test_a_log_of_keys_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """R3: Python opens it with the certificates."""
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "missing" / "keys"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert "SSLKEYLOGFILE names" in refusal()


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("HTTPS_PROXY", f"http://user:{SECRET}@[::1", "HTTPS_PROXY is not the address of a proxy. Set HTTPS_PROXY to"),
        ("HTTPS_PROXY", f"http://user:{SECRET}@proxy:port", "HTTPS_PROXY is not the address of a proxy"),
        ("https_proxy", f"ftp://user:{SECRET}@proxy", "https_proxy is not the address of a proxy"),
        ("ALL_PROXY", "http://", "ALL_PROXY is not the address of a proxy"),
        ("ALL_PROXY", f"socks5://user:{SECRET}@proxy:1080", "ALL_PROXY names a SOCKS proxy"),
        ("all_proxy", "socks5h://proxy", "pip install 'httpx[socks]'"),
        ("ALL_PROXY", "socks4://proxy", "ALL_PROXY is not the address of a proxy"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_named_but_not_shown(
    variable: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R3, R4: its address may hold a password."""
    monkeypatch.setenv(variable, value)
    assert said in refusal()


@pytest.mark.parametrize(("status", "said"), [(407, "asks for a user and password"), (403, "does not let us through")])
def test_a_proxy_that_refuses_is_asked_once(status: int, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """R3: 407 and 403 don't pass by themselves."""
    with proxy(status) as (port, asked):
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:{SECRET}@127.0.0.1:{port}")
        message = unreachable()
    assert f"the proxy that HTTPS_PROXY names {said}" in message
    assert SECRET not in message
    assert len(asked) == 1


def test_a_proxy_that_is_busy_or_away_is_tried_again_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """R3: as a server would be; the variable is named all the same."""
    with proxy(503) as (port, asked):
        monkeypatch.setenv("ALL_PROXY", f"127.0.0.1:{port}")
        assert "no connection, by way of the proxy that ALL_PROXY names, 6 tries" in unreachable()
    assert len(asked) == 6
    assert "connection refused, by way of the proxy that ALL_PROXY names, 6 tries" in unreachable()


def test_a_proxy_that_works_is_used_with_its_password(authority: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """R3: for what is outside, with TLS to the server itself; not if NO_PROXY says so."""
    monkeypatch.setenv("SSL_CERT_FILE", authority)
    with tls_server(GOOD) as (server, seen), proxy(to=server) as (port, asked):
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:{SECRET}@127.0.0.1:{port}")
        monkeypatch.setenv("ALL_PROXY", "socks5://nowhere.example")
        monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1,[::1],::1,fd00::/8")
        exchange = Exchange("LeadPerfection", OUTSIDE, None, 5.0, 5.0, 1000)
        assert exchange.send("POST", "/", content=b"").body == b"[1]"
        exchange.close()
    assert asked == ["Basic dXNlcjpodW50ZXIy"]
    assert seen == ["handshake for lp.example", "/"]


@pytest.mark.parametrize(
    ("address", "exempt", "uses_it"),
    [
        ("https://lp.example", "", True),
        ("https://lp.example", "[::1],fd00::/8,10.0.0.0/8,::1", True),
        ("https://lp.example", "localhost, .lp.example", False),
        ("https://api.lp.example", "lp.example", False),
        ("https://api.lp.example", "*", False),
        ("https://lp.example:8443", "lp.example:8443", False),
        ("https://lp.example:8443", "lp.example:443", True),
        ("https://10.1.2.3", "10.0.0.0/8", False),
        ("https://11.1.2.3", "10.0.0.0/8", True),
        ("https://[fd00::7]:8443", "fd00::/8", False),
        ("https://[fd00::7]", "[fd00::7]", False),
        ("https://[fe80::7]", "fd00::/8,garbage/8,://,[", True),
    ],
)
def test_what_no_proxy_says_is_kept_to(
    address: str, exempt: str, uses_it: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R3: names, addresses and ranges of both kinds, as other programs take them; nonsense in it is passed over."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:8080")
    monkeypatch.setenv("NO_PROXY", exempt)
    assert (proxy_for(urlsplit(address)) is not None) == uses_it


@pytest.mark.slow
@pytest.mark.slow
def test_loopback_needs_none_of_it(tmp_path: Path) -> None:
    """The sandbox works whatever these variables say."""
    program = "import sys; from pathlib import Path; from lp_pipeline_tests.account import account\n"
    program += "with account(Path(sys.argv[1])) as opened: opened.with_hatch(); opened.sync(); opened.deliver()"
    nonsense = {"NO_PROXY": "[::1],fd00::/8,[", "SSL_CERT_FILE": "/nowhere", "SSL_CERT_DIR": "/nowhere"}
    proxies = {"HTTP_PROXY": "garbage://[", "HTTPS_PROXY": "http://[::1", "ALL_PROXY": "socks5://nowhere.example"}
    environ = {**os.environ, **nonsense, **proxies, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *sys.path])}
    ran = subprocess.run(
        [sys.executable, "-c", program, tmp_path], env=environ, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
