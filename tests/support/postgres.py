"""A PostgreSQL server of our own, on a free port of the loopback, and a double of Patroni's REST API."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import psycopg
from tests.support.waiting import wait_until

from seatrial.testbed import programs

PASSWORD = "never-to-be-seen"


class Database:
    """A server with few connections; `start` starts it again after a crash."""

    def __init__(self, directory: Path, connections: int = 12) -> None:
        found = programs.find()
        self.data = directory / "data"
        password = directory / "password"
        password.write_text(PASSWORD)
        self._prefix, self._bin = found.unprivileged, found.postgres_bin
        self._run("initdb", "-D", self.data, "-U", "admin", "-A", "scram-sha-256", "--pwfile", password, "-N")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"postgresql://admin:{PASSWORD}@127.0.0.1:{self.port}/postgres"
        settings = {
            "port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "",
            "max_connections": connections, "fsync": "off", "dynamic_shared_memory_type": "mmap",
        }  # fmt: skip
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self.command = [*self._prefix, str(self._bin / "postgres"), "-D", str(self.data), *options]
        self.server: subprocess.Popen[bytes] | None = None

    def _run(self, program: str, *arguments: object) -> None:
        command = [*self._prefix, str(self._bin / program), *map(str, arguments)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    def start(self) -> None:
        """Start it and wait until it serves."""
        self.server = subprocess.Popen(self.command, stderr=subprocess.DEVNULL)
        wait_until(self.serves, 30.0, "postgres serves")

    def connect(self) -> psycopg.Connection:
        """A connection of its superuser."""
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="admin", password=PASSWORD, dbname="postgres",
            autocommit=True, connect_timeout=2,
        )  # fmt: skip

    def serves(self) -> bool:
        """Whether it lets one more in."""
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        """End it, however it is."""
        if self.server is not None:
            self.server.kill()
            self.server.wait()
            self.server = None


@contextlib.contextmanager
def postgres(directory: Path) -> Iterator[Database]:
    """A server, while it is needed."""
    database = Database(directory)
    database.start()
    try:
        yield database
    finally:
        database.stop()


class PatroniDouble(BaseHTTPRequestHandler):
    """Patroni's REST API, for one cluster whose members all listen here. A hand-over takes effect at once."""

    members: ClassVar[list[dict[str, Any]]] = []
    config: ClassVar[dict[str, Any]] = {}
    requests: ClassVar[list[str]] = []  # all that change something

    def do_GET(self) -> None:
        if self.path == "/config":
            self._answer(self.config)
        elif self.path == "/primary":
            self._answer({})
        else:
            self._answer({"members": self.members, "scope": "shop", "pause": self.config.get("pause", False)})

    def do_PATCH(self) -> None:
        patch(self.config, self._asked())
        self._answer(self.config)

    def do_POST(self) -> None:
        asked = self._asked()
        for member in self.members:
            if member["name"] == asked["leader"] and member["role"] != "leader":
                return self._answer("leader name does not match", status=412)
        for member in self.members:
            member["role"] = "leader" if member["name"] == asked["candidate"] else "sync_standby"
        return self._answer("switched over")

    def _asked(self) -> dict[str, Any]:
        asked: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.requests.append(f"{self.command} {self.path} {json.dumps(asked)}")
        return asked

    def _answer(self, said: Any, status: int = 200) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


def patch(config: dict[str, Any], change: dict[str, Any]) -> None:
    """Merge `change` in as PATCH /config does."""
    for key, value in change.items():
        if value is None:
            config.pop(key, None)
        elif isinstance(value, dict) and isinstance(config.get(key), dict):
            patch(config[key], value)
        else:
            config[key] = value


@contextlib.contextmanager
def patroni(**leader_of: str) -> Iterator[str]:
    """Its address; `leader_of` gives each member's role."""
    PatroniDouble.members = [
        {"name": name.replace("_", "-"), "role": role, "state": "running", "timeline": 1}
        for name, role in leader_of.items()
    ]
    PatroniDouble.config = {"ttl": 20, "synchronous_mode": True, "postgresql": {"parameters": {"port": 1}}}
    PatroniDouble.requests = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), PatroniDouble)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
