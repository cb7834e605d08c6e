"""A small real HTTP server that behaves and misbehaves on demand, and ways to run scenarios against it."""

from __future__ import annotations

import json
import socket
import struct
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.support.http_answers import ANSWERS, answer


@dataclass(frozen=True, slots=True)
class Request:
    """One request as the server got it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class HttpServer:
    """The server. `requests` and `connections` say what came in."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.orders: set[tuple[str, str]] = set()
        self.connections = 0
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = int(self._listener.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        for sock in (self._listener, *self._open):
            sock.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self.connections += 1
                self._open.append(sock)
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with suppress(OSError):
            stream = sock.makefile("rb")
            while (request := _read(stream)) is not None:
                self.requests.append(request)
                data, then = self._answer(request)
                sock.sendall(data)
                if then == "reset":
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                if then in ("reset", "close"):
                    stream.close()
                    sock.close()
                    return

    def _answer(self, request: Request) -> tuple[bytes, str]:
        path = request.path.partition("?")[0]
        if request.method == "HEAD":
            return answer(b"").replace(b"Content-Length: 0", b"Content-Length: 7"), ""
        if path in ANSWERS:
            return ANSWERS[path]
        if path.startswith("/orders"):
            return self._order(request), ""
        seen = {
            "method": request.method,
            "path": request.path,
            "headers": request.headers,
            "body": request.body.decode("latin-1"),
        }
        return answer(json.dumps(seen).encode(), "200 OK", "Content-Type: application/json"), ""

    def _order(self, request: Request) -> bytes:
        """The testbed's shop, as `loadtests/storefront.py` knows it."""
        tenant = request.headers["x-tenant"]
        if request.method == "POST":
            key = request.headers["idempotency-key"]
            self.orders.add((tenant, key))
            return answer(json.dumps({"id": "1", "key": key}).encode(), "201 Created")
        known = (tenant, request.path.removeprefix("/orders/")) in self.orders
        return answer(b"{}", "200 OK" if known else "404 Not Found")


def _read(stream: Any) -> Request | None:
    first = stream.readline().decode("latin-1").split()
    if len(first) != 3:
        return None
    headers = {}
    while line := stream.readline().strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    return Request(first[0], first[1], headers, stream.read(int(headers.get("content-length", 0))))


@pytest.fixture
def http_server() -> Iterator[HttpServer]:
    server = HttpServer()
    yield server
    server.close()


# A process that has imported what takes a second to import, and forks for each piece of code that it is told.
_FORKING = """
import json, os, sys, time, traceback
import gevent
from gevent.monkey import get_original
from seatrial.load import OpenLoopUser
from seatrial.load.arrival import Arrival
from seatrial.load.client import Client
from seatrial.load.client_state import ClientSettings
from seatrial.load.connection import Pools
from seatrial.load.under_way import UnderWay

fork, waitpid = get_original("os", "fork"), get_original("os", "waitpid")

def run(job):
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(job[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    exec(compile(job["code"], "<code>", "exec"), {**globals(), "url": job["url"]})
    sys.stdout.flush()

for line in sys.stdin:
    if child := fork():
        print(os.waitstatus_to_exitcode(waitpid(child, 0)[1]), flush=True)
        continue
    try:
        run(json.loads(line))
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
"""

_PRELUDE = """
rows = []
pools = Pools()

def report(response):
    ok, error, exception = response.judge()
    rows.append({
        "ok": ok, "error": error, "status": response.status_code, "name": response.name, "key": response.key,
        "served_by": response.served_by, "content": response.content.decode("latin-1"),
        "sent": response.sent == response.sent, "ended": response.ended == response.ended,
        "took": response.ended - response.intended, "late": response.sent - response.intended,
    })

def new_client(deadline_s=2.0, base=url):
    client = Client(ClientSettings(base), pools, UnderWay(Arrival(time.monotonic()), deadline_s, report))
    client.under_way.arrival.begin(0.0)
    return client

client = new_client()
result = None
"""


@pytest.fixture(scope="session")
def forking() -> Iterator[subprocess.Popen[str]]:
    """The process that forks."""
    with subprocess.Popen(
        [sys.executable, "-c", _FORKING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def run_client(
    http_server: HttpServer, forking: subprocess.Popen[str], tmp_path: Path
) -> Callable[[str], tuple[Any, list[dict[str, Any]]]]:
    """Runs code with a `client` in a process of its own; gives its `result` and the rows that it reported."""

    def run(code: str) -> tuple[Any, list[dict[str, Any]]]:
        assert forking.stdin is not None
        assert forking.stdout is not None
        out, err = tmp_path / "out", tmp_path / "err"
        program = f"{_PRELUDE}\n{textwrap.dedent(code)}\nprint(json.dumps([result, rows]))"
        job = {"code": program, "url": http_server.url, "out": str(out), "err": str(err)}
        print(json.dumps(job), file=forking.stdin, flush=True)
        assert forking.stdout.readline() == "0\n", err.read_text()
        result, rows = json.loads(out.read_text())
        return result, rows

    return run
