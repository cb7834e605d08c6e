"""Logs that a real HAProxy and a real nginx wrote of requests whose instants are known."""

from __future__ import annotations

import http.client
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.support.edges import HAPROXY, NGINX, needs_haproxy, needs_nginx, release
from tests.support.listeners import free_port
from tests.support.waiting import wait_until

from seatrial.measure.importers import Told, read

_HAPROXY = """\
global
  log stdout format raw local0
defaults
  mode http
  log global
  option httplog
  timeout connect 1s
  timeout client 5s
  timeout server 5s
frontend web
  bind 127.0.0.1:{edge}
  http-request deny deny_status 503 if {{ path /down }}
  default_backend app
backend app
  server a 127.0.0.1:{inner}
"""
_NGINX = """\
daemon off; master_process off; pid {root}/nginx.pid; error_log {root}/error.log;
events {{}}
http {{
  log_format timed '$remote_addr - - [$time_local] "$request" $status 1 "-" "-" $msec rt=$request_time';
  access_log {root}/timed.log timed;
  access_log {root}/combined.log combined;
  client_body_temp_path {root}/t1; proxy_temp_path {root}/t2; fastcgi_temp_path {root}/t3;
  uwsgi_temp_path {root}/t4; scgi_temp_path {root}/t5;
  server {{
    listen 127.0.0.1:{inner};
    location = /missing {{ return 404; }}
    location / {{ proxy_pass http://{app}; }}
  }}
}}
"""
_LOOP_S = (
    0.05  # a server stamps what happens when its loop comes round, which on a busy machine takes a while
)
_Asked = tuple[float, int, float]  # when it was asked, the status, when it was answered


@contextmanager
def running(command: list[str], output: Path, port: int) -> Iterator[None]:
    with output.open("wb") as file:
        process = subprocess.Popen(
            command, stdout=file, stderr=subprocess.STDOUT, env=os.environ | {"TZ": "UTC"}
        )
    try:
        wait_until(lambda: _listens(port))
        yield
    finally:
        process.terminate()
        process.wait()


def _listens(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.connect()
    except OSError:
        return False
    connection.close()
    return True


def _ask(port: int, path: str) -> _Asked:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    before_s = time.time()
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return before_s, answer.status, time.time()


@needs_haproxy
@needs_nginx
def test_each_request_is_logged_within_what_the_importer_says_it_may_be_off(tmp_path: Path) -> None:
    edge, inner = free_port(), free_port()
    with ExitStack() as stack:
        app = stack.enter_context(release("blue"))
        (tmp_path / "h.cfg").write_text(_HAPROXY.format(edge=edge, inner=inner))
        (tmp_path / "n.conf").write_text(_NGINX.format(root=tmp_path, inner=inner, app=app))
        stack.enter_context(running([str(NGINX), "-c", f"{tmp_path}/n.conf"], tmp_path / "n.out", inner))
        stack.enter_context(
            running([str(HAPROXY), "-db", "-f", f"{tmp_path}/h.cfg"], tmp_path / "h.log", edge)
        )
        asked = {path: _ask(edge, f"{path}?c=1") for path in ("/a", "/missing", "/down", "/b")}
        wait_until(lambda: (tmp_path / "h.log").read_text().count("HTTP/1.1") == len(asked))
    assert [status for _, status, _ in asked.values()] == [200, 404, 503, 200]
    served = {path: each for path, each in asked.items() if path != "/down"}  # HAProxy answered that itself
    _holds(tmp_path / "h.log", "haproxy", Told(), asked)
    _holds(tmp_path / "timed.log", "access", Told(), served)
    _holds(tmp_path / "combined.log", "access", Told(log_format="nginx"), served)


def _holds(path: Path, name: str, told: Told, asked: dict[str, _Asked]) -> None:
    """Each request's own clock lies around what the log can mean.

    Rows are found by their names: of two that were sent in one millisecond either may stand first, since a
    server's threads write their lines when they come to it.
    """
    found = read(path, told=told)
    log, zero_s, exact = found.log, found.zero_unix_s, found.exact.within(1.0)
    assert zero_s is not None
    row_of = {text.removeprefix("GET "): row for row, text in enumerate(log.name.texts())}
    assert (found.format, len(log), set(row_of)) == (name, len(asked), set(asked))
    for path_asked, (before_s, status, after_s) in asked.items():
        row = row_of[path_asked]
        assert (log.status[row], log.ok[row]) == (status, status < 500)
        sent, ended = log.sent[row] + zero_s, log.ended[row] + zero_s
        assert sent + exact.sent_late_s >= before_s - _LOOP_S
        assert ended - exact.ended_early_s <= after_s + _LOOP_S
        assert ended + exact.ended_late_s >= before_s
        assert sent - exact.sent_early_s <= after_s
