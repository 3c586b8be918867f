"""The proxy of `deploy/nginx.conf.template`, a real nginx before servers that note what reaches them (SPEC R4)."""

import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from string import Template
from threading import Thread

import httpx
import pytest
import trustme

from lp_pipeline.settings import REPOSITORY
from lp_pipeline_tests.drills.deployment import free_port, until

TEMPLATE = REPOSITORY / "deploy" / "nginx.conf.template"
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
USER = ("ann", "right-horse")
AROUND = """daemon off; {user} pid {folder}/pid; error_log stderr; events {{}}
http {{ access_log off; {temp} include {site}; }}"""
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


class Proxy:
    """An nginx, what it lets through to the UI and to the inbox, and a client that trusts its certificate."""

    def __init__(self, address: str, trust: ssl.SSLContext) -> None:
        self.address, self.trust = address, trust
        self.reached: list[tuple[str, str, dict[str, str]]] = []

    def get(self, path: str, method: str = "GET", **given: object) -> httpx.Response:
        """The answer to one request."""
        return httpx.request(method, self.address + path, verify=self.trust, trust_env=False, **given)  # type: ignore[arg-type]

    def serve(self, name: str) -> ThreadingHTTPServer:
        """Something behind the proxy."""
        reached = self.reached

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.do_GET()

            def do_GET(self) -> None:
                reached.append((name, self.path, {key.lower(): value for key, value in self.headers.items()}))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                """Nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return server


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Proxy]:
    """The template, filled in as docs/deploying.md does it for a host."""
    if NGINX is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("nginx is not installed: apt-get install nginx-light")
    authority, port = trustme.CA(), free_port()
    certificate = authority.issue_cert("localhost")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "tls.crt")
    certificate.private_key_pem.write_to_path(tmp_path / "tls.key")
    hashed = subprocess.run(["openssl", "passwd", "-6", USER[1]], capture_output=True, text=True, check=True).stdout
    (tmp_path / "htpasswd").write_text(f"{USER[0]}:{hashed}")
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    proxy = Proxy(f"https://localhost:{port}", trust)
    web, inbox = proxy.serve("web"), proxy.serve("inbox")
    here = [f"127.0.0.1:{server.server_port}" for server in (web, inbox)]
    filled = {"WEB": here[0], "INBOX": here[1], "RESOLVER": "127.0.0.1", "SECRETS": str(tmp_path)}
    site = (
        Template(TEMPLATE.read_text()).safe_substitute(filled).replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl")
    )
    (tmp_path / "site.conf").write_text(site)
    temp = " ".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in TEMPORARY)
    user = "user root;" if os.geteuid() == 0 else ""  # the folder is this user's
    wrapped = AROUND.format(folder=tmp_path, temp=temp, user=user, site=tmp_path / "site.conf")
    (tmp_path / "nginx.conf").write_text(wrapped)
    with subprocess.Popen([NGINX, "-p", str(tmp_path), "-c", "nginx.conf"], stderr=subprocess.PIPE) as nginx:
        try:
            until(lambda: nginx.poll() is not None or _answers(proxy), "nginx never answers", 60)
            assert nginx.poll() is None, nginx.stderr and nginx.stderr.read()
            yield proxy
        finally:
            nginx.terminate()
            for server in (web, inbox):
                server.shutdown()
                server.server_close()


def _answers(proxy: Proxy) -> bool:
    try:
        return proxy.get("/proxy-health").text == "OK\n"
    except httpx.TransportError:
        return False


@pytest.mark.slow
def test_nobody_reaches_the_ui_without_signing_in(proxy: Proxy) -> None:
    """R4: no page, no API, no WebSocket; with the right name and password all of them, and the UI never sees those. The
    inbox's one path needs no sign-in, for its secret is its own."""
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket"}
    for path in ("/", "/graphql", "/server_info", "/health", "/communications/../graphql", "/communications/"):
        assert proxy.get(path).status_code == 401, path
        assert proxy.get(path, auth=(USER[0], "wrong"), headers=upgrade).status_code == 401, path
    assert proxy.reached == []
    assert proxy.get("/graphql?query={version}", auth=USER, headers=upgrade).status_code == 200
    ((name, path, headers),) = proxy.reached
    assert (name, path) == ("web", "/graphql?query={version}")
    assert (headers["upgrade"], headers["connection"]) == ("websocket", "upgrade")
    assert "authorization" not in headers
    for path in ("/communications", "/communications/albany"):
        assert proxy.get(path, "POST", json=[], headers={"X-Inbox-Secret": "s"}).status_code == 200
        name, reached, headers = proxy.reached[-1]
        assert (name, reached, headers["x-inbox-secret"]) == ("inbox", path, "s")
