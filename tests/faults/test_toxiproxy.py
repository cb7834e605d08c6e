"""toxiproxy: against a double of its HTTP API, with its status codes and error bodies."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from tests.support.victims import LOOPBACK

from seatrial.model.problems import BadInput, Unavailable
from seatrial.model.role import Role
from seatrial.undo import registry


class Toxiproxy(BaseHTTPRequestHandler):
    """GET and POST /proxies/{name}, POST /proxies/{name}/toxics, DELETE /proxies/{name}/toxics/{toxic}."""

    proxies: ClassVar[dict[str, dict[str, Any]]] = {}

    def _reply(self, status: int, body: Any = None) -> None:
        payload = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def _route(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else {}
        _, _, name, *rest = self.path.split("/")
        if name not in self.proxies:
            self._reply(404, {"error": "proxy not found", "status": 404})
        else:
            self._reply(*self._done(self.proxies[name], rest, body))

    def _done(self, proxy: dict[str, Any], rest: list[str], body: dict[str, Any]) -> tuple[int, Any]:
        match self.command, rest:
            case "GET", []:
                return 200, proxy
            case "POST", []:
                proxy.update(body)
                return 200, proxy
            case "POST", ["toxics"]:
                proxy["toxics"].append(body)
                return 200, body
            case "DELETE", ["toxics", toxic_name]:
                left = [toxic for toxic in proxy["toxics"] if toxic["name"] != toxic_name]
                found = len(left) < len(proxy["toxics"])
                proxy["toxics"] = left
                return (204, None) if found else (404, {"error": "toxic not found", "status": 404})
        return 405, None

    do_GET = do_POST = do_DELETE = _route  # noqa: N815  # http.server looks for these names

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def link(tmp_path: Path) -> Iterator[Role]:
    theirs = {"name": "theirs", "type": "latency", "stream": "upstream", "attributes": {"latency": 5}}
    Toxiproxy.proxies = {
        "redis": {"name": "redis", "listen": "127.0.0.1:1", "upstream": "127.0.0.1:2", "enabled": True, "toxics": [theirs]}
    }  # fmt: skip
    server = ThreadingHTTPServer(("127.0.0.1", 0), Toxiproxy)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    parameters = {"url": f"http://127.0.0.1:{server.server_port}", "proxy": "redis"}
    yield Role("link", "toxiproxy", parameters, LOOPBACK, str(tmp_path))
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_toxic_of_ours_comes_and_goes_and_theirs_stays(link: Role) -> None:
    fault: Any = registry.build(
        "toxiproxy", {"toxic": "latency", "attributes": {"latency": 300}, "toxicity": "50%"}
    )
    undo = fault.prepare(link)
    fault.inject(undo)
    theirs, ours = Toxiproxy.proxies["redis"]["toxics"]
    assert ours == {
        "name": f"seatrial-{undo.token}", "type": "latency", "stream": "downstream", "toxicity": 0.5,
        "attributes": {"latency": 300},
    }  # fmt: skip
    assert not fault.healthy(link)
    assert not fault.gone(undo)
    for _ in range(2):
        registry.build(undo.fault, undo.with_).undo(undo)
        assert Toxiproxy.proxies["redis"]["toxics"] == [theirs]
    assert fault.healthy(link)
    assert fault.gone(undo)
    assert undo.by_hand == f"toxiproxy-cli toxic remove -n seatrial-{undo.token} redis"


def test_down_and_up(link: Role) -> None:
    fault: Any = registry.build("toxiproxy", {"toxic": "down"})
    undo = fault.prepare(link)
    fault.inject(undo)
    assert Toxiproxy.proxies["redis"]["enabled"] is False
    assert not fault.healthy(link)
    assert not fault.gone(undo)
    fault.undo(undo)
    assert fault.gone(undo)
    assert Toxiproxy.proxies["redis"]["enabled"] is True


def test_what_was_down_before_stays_down(link: Role) -> None:
    Toxiproxy.proxies["redis"]["enabled"] = False
    fault: Any = registry.build("toxiproxy", {"toxic": "down"})
    undo = fault.prepare(link)
    fault.inject(undo)
    fault.undo(undo)
    assert Toxiproxy.proxies["redis"]["enabled"] is False
    assert fault.gone(undo), "down is what it was"
    assert not fault.healthy(link)


def test_a_proxy_that_is_not_there(link: Role) -> None:
    fault = registry.build("toxiproxy", {"toxic": "timeout"})
    with pytest.raises(Unavailable, match=r"404 .*proxy not found"):
        fault.prepare(replace(link, parameters={**link.parameters, "proxy": "nowhere"}))
    with pytest.raises(BadInput, match="allow"):
        fault.prepare(replace(link, parameters={"url": "http://10.0.0.1:8474", "proxy": "redis"}))
