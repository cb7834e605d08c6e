"""The smallest run there is: a service that knows nothing of seatrial, five lines of target, a second or two."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import create_server
from threading import Thread
from typing import Any

SCENARIO = """\
from locust import task
from seatrial.load import OpenLoopUser

class Visitor(OpenLoopUser):
    @task
    def home(self):
        self.client.get("/")
"""


@dataclass(frozen=True, slots=True)
class SmallRun:
    """A directory with an experiment, and a home of its own."""

    directory: Path
    service: Shop

    @property
    def environment(self) -> dict[str, str]:
        """For the command: its own state, and nobody to tell of incidents."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SEATRIAL_")}
        return {**kept, "SEATRIAL_HOME": str(self.directory / "home"), "COLUMNS": "160", "TERM": "xterm"}

    @property
    def command(self) -> list[str]:
        """Run it."""
        return [sys.executable, "-m", "seatrial", "run", "x.yaml", "--target", "target.yaml", "--json"]

    def events(self) -> list[str]:
        """What its journal tells so far."""
        journals = list(self.directory.glob("runs/*/journal.jsonl"))
        lines = journals[0].read_text().splitlines(keepends=True) if journals else []
        return [json.loads(line)["event"] for line in lines if line.endswith("\n")]

    def evidence(self) -> Path:
        """Its evidence directory."""
        (directory,) = (self.directory / "runs").iterdir()
        return directory

    def verdict(self) -> dict[str, Any]:
        """What it found, as it was written down."""
        document: dict[str, Any] = json.loads((self.evidence() / "verdict.json").read_text())
        return document


def all_well(verdict: Mapping[str, Any]) -> bool:
    """A pass, or an unknown for this machine's sake only: busy with other tests it may send arrivals late."""
    if verdict["verdict"] == "unknown":
        return all(reason.startswith("the load generator cannot be trusted") for reason in verdict["reasons"])
    return bool(verdict["verdict"] == "pass")


@contextmanager
def small_run(
    directory: Path,
    duration: str,
    *,
    scenario: str = SCENARIO,
    load: str = "rate: 50/s",
    warmup: str = "0s",
) -> Iterator[SmallRun]:
    """A run of `duration`, ready to be started, and the service it is about. `load`: keys of the load."""
    server = Shop(("127.0.0.1", 0), _Shop)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        (directory / "target.yaml").write_text(
            f"target: shop\nbase_url: http://127.0.0.1:{server.server_port}\n"
        )
        (directory / "home.py").write_text(scenario)
        (directory / "x.yaml").write_text(
            f"experiment: x\nload: {{scenario: home.py, {load}}}\nwarmup: {warmup}\nduration: {duration}\n"
            "objectives: {errors: {max: 100%}}\n"
        )
        yield SmallRun(directory, server)
    finally:
        server.shutdown()
        server.server_close()


class Shop(ThreadingHTTPServer):
    """The service. `connections`: that it was asked for."""

    request_queue_size = 128

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.connections: list[object] = []

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.append(client_address)
        super().process_request(request, client_address)

    @contextmanager
    def taking_no_more(self) -> Iterator[None]:
        """Meanwhile nobody listens, and connections that are there go on, as when a server is restarted well."""
        self.shutdown()
        self.socket.close()
        yield
        self.socket = create_server(("127.0.0.1", self.server_port), backlog=self.request_queue_size)
        Thread(target=self.serve_forever, daemon=True).start()


class _Shop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        pass
