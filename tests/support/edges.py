"""Real edges of one machine: an nginx or an HAProxy in front of two releases, as their users have them."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.support.listeners import free_port
from tests.support.waiting import wait_until

PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"
NGINX, HAPROXY = shutil.which("nginx", path=PATH), shutil.which("haproxy", path=PATH)
needs_nginx = pytest.mark.skipif(NGINX is None, reason="no nginx on this machine")
needs_haproxy = pytest.mark.skipif(HAPROXY is None, reason="no haproxy on this machine")

_NGINX_CONF = """\
daemon off; master_process on; pid {root}/nginx.pid; error_log {root}/error.log; worker_processes 2;
events {{}}
http {{
  log_format timed '$msec $status $request_time $uri $server_protocol $connection';
  access_log {root}/access.log timed;
  client_body_temp_path {root}/t1; proxy_temp_path {root}/t2; fastcgi_temp_path {root}/t3;
  uwsgi_temp_path {root}/t4; scgi_temp_path {root}/t5;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    listen 127.0.0.1:{http2_port} http2 backlog=4096;
    keepalive_requests 1000000;
    include {root}/active.conf;
  }}
}}
"""
_HAPROXY_CFG = """\
global
  stats socket {root}/h.sock level admin
defaults
  mode http
  timeout connect 2s
  timeout client 30s
  timeout server 30s
frontend edge
  bind 127.0.0.1:{port}
  default_backend app
backend app
  server blue {blue} check inter 50ms
  server green {green} check inter 50ms
"""


@contextmanager
def release(name: str) -> Iterator[str]:
    """A release that answers with its name; its host and port."""

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Nothing."""

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(name)))
            self.end_headers()
            self.wfile.write(name.encode())

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 512

        def handle_error(self, *_: object) -> None:
            """Nothing: a proxy that is restarted hangs up."""

    with Server(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


class Edge:
    """The server before two releases, started by its own command line."""

    def __init__(self, root: Path, port: int, command: list[str]) -> None:
        self.root, self.port, self.command = root, port, command
        self.process: subprocess.Popen[bytes] | None = None
        self.http2_url = f"http://127.0.0.1:{port}"  # without TLS; HAProxy finds out what is spoken

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, cwd=self.root, stderr=subprocess.DEVNULL)
        wait_until(lambda: self.says() is not None, what=f"{self.command[0]} answers")

    def says(self) -> str | None:
        """What a new client is answered; None: nothing."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/")
            return connection.getresponse().read().decode()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)
            self.process = None


@contextmanager
def nginx(root: Path, blue: str, green: str) -> Iterator[Edge]:
    """An nginx whose `active.conf` is blue's."""
    root.chmod(0o755)
    for name, address in (("blue", blue), ("green", green)):
        (root / f"{name}.conf").write_text(f"location / {{ proxy_pass http://{address}; }}\n")
    (root / "active.conf").write_text((root / "blue.conf").read_text())
    port = free_port()
    http2_port = free_port()
    (root / "nginx.conf").write_text(_NGINX_CONF.format(root=root, port=port, http2_port=http2_port))
    edge = Edge(root, port, [str(NGINX), "-p", str(root), "-c", str(root / "nginx.conf")])
    edge.http2_url = f"http://127.0.0.1:{http2_port}"
    try:
        edge.start()
        yield edge
    finally:
        edge.stop()


@contextmanager
def haproxy(root: Path, blue: str, green: str) -> Iterator[Edge]:
    """An HAProxy whose servers both are ready; `root` must have a short name, for the socket's sake."""
    port = free_port()
    (root / "h.cfg").write_text(_HAPROXY_CFG.format(root=root, port=port, blue=blue, green=green))
    edge = Edge(root, port, [str(HAPROXY), "-db", "-f", str(root / "h.cfg")])
    try:
        edge.start()
        yield edge
    finally:
        edge.stop()
