"""Four deploys of a service that is not ours, measured from outside and read from the servers' own logs.

    python -m tests.bench.bench_deploys [ROUNDS]

An nginx is reloaded, an nginx is stopped and started 0.3 s later, an HAProxy drains one release for another, and
a shell script stops the app behind an nginx for 0.6 s. Each is a step of an experiment as its user would write
it, with a locustfile as its user has it, at 10,000 arrivals a minute. Beside the measured interval stands what
the edge itself says: nginx's log the longest time between two good answers, HAProxy's counters the failures.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.support import edges
from tests.support.edges import HAPROXY, NGINX, Edge, release
from tests.support.listeners import free_port

LOCUSTFILE = """\
from locust import HttpUser, between, task
class Visitor(HttpUser):
    wait_time = between(1, 3)
    @task
    def home(self):
        self.client.get("/")
"""
EXPERIMENT = """\
experiment: deploy
load: {{scenario: locustfile.py, rate: 10000/min}}
warmup: 2s
duration: 8s
timeline:
  - {{at: 3s, action: {action}, on: edge, name: deploy, with: {with_}}}
objectives:
  downtime: {{max: 5s, after: deploy}}
"""
APP = """\
import http.server, sys
class App(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_): pass
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "2"); self.end_headers(); self.wfile.write(b"ok")
class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 512
Server(("127.0.0.1", int(sys.argv[1])), App).serve_forever()
"""


def measured(root: Path, role: dict[str, Any], action: str, with_: dict[str, Any]) -> dict[str, Any]:
    """The verdict of one run."""
    target = {
        "target": "somebodys",
        "base_url": role.pop("base_url"),
        "allow": ["127.0.0.1"],
        "roles": {"edge": role},
    }
    (root / "target.yaml").write_text(json.dumps(target))
    (root / "locustfile.py").write_text(LOCUSTFILE)
    (root / "deploy.yaml").write_text(EXPERIMENT.format(action=action, with_=json.dumps(with_)))
    command = [sys.executable, "-m", "seatrial", "run", "deploy.yaml", "--target", "target.yaml", "--json"]
    home = {"SEATRIAL_HOME": str(root / "home"), "PATH": edges.PATH}
    done = subprocess.run(
        command, cwd=root, env={**os.environ, **home}, capture_output=True, text=True, check=False
    )
    try:
        return dict(json.loads(done.stdout))
    except ValueError:
        sys.exit(f"no verdict: {done.stderr}")


def interval_ms(verdict: dict[str, Any]) -> str:
    """The bounds of the perceived downtime after the deploy."""
    (downtime,) = [each for each in verdict["objectives"] if each["name"].startswith("downtime")]
    bounds = [downtime["lower"], downtime["upper"]]
    return "–" if None in bounds else f"[{bounds[0] * 1000:.0f}, {bounds[1] * 1000:.0f}] ms"


def gap_in_log_ms(root: Path) -> float:
    """The longest time between two good answers that nginx logged, in milliseconds, while the load ran."""
    lines = [line.split() for line in (root / "access.log").read_text().splitlines()]
    good = sorted(float(line[0]) for line in lines if line[1] == "200")
    busy = good[len(good) // 20 : -len(good) // 20]  # neither the first clients nor the last
    return 1000 * max(later - earlier for earlier, later in pairwise(busy))


@contextmanager
def room() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="st") as directory:
        yield Path(directory)


def nginx_role(edge: Edge) -> dict[str, Any]:
    return {
        "base_url": edge.url,
        "driver": "nginx",
        "active": "active.conf",
        "releases": {"blue": "blue.conf", "green": "green.conf"},
        "test": [*edge.command, "-t", "-q"],
        "reload": [*edge.command, "-s", "reload"],
    }


def reload() -> tuple[str, str]:
    with (
        room() as root,
        release("blue") as blue,
        release("green") as green,
        edges.nginx(root, blue, green) as edge,
    ):
        verdict = measured(root, nginx_role(edge), "deploy.switch", {"to": "green"})
        return interval_ms(verdict), f"{gap_in_log_ms(root):.0f} ms between two answers, by its log"


def restart() -> tuple[str, str]:
    with (
        room() as root,
        release("blue") as blue,
        release("green") as green,
        edges.nginx(root, blue, green) as edge,
    ):
        again = " ".join(edge.command)
        run = [
            "sh",
            "-c",
            f"{again} -s stop; while [ -e nginx.pid ]; do sleep 0.005; done; sleep 0.3; {again} & sleep 0.1",
        ]
        try:
            verdict = measured(root, nginx_role(edge), "command.run", {"run": run})
        finally:
            subprocess.run([*edge.command, "-s", "quit"], check=True)
        return interval_ms(verdict), f"{gap_in_log_ms(root):.0f} ms between two answers, by its log"


def switch() -> tuple[str, str]:
    with (
        room() as root,
        release("blue") as blue,
        release("green") as green,
        edges.haproxy(root, blue, green) as edge,
    ):
        role = {
            "base_url": edge.url,
            "driver": "haproxy",
            "socket": "h.sock",
            "servers": {"blue": "app/blue", "green": "app/green"},
        }
        from seatrial.drivers.haproxy import tell

        tell(root / "h.sock", "app/green", "drain")
        verdict = measured(root, role, "deploy.switch", {"to": "green"})
        return interval_ms(verdict), failures_of(root / "h.sock")


def failures_of(socket: Path) -> str:
    """What HAProxy itself counted: connection errors, response errors, retries and 5xx of the backend."""
    from seatrial.drivers.haproxy import ask

    head, *rows = filter(str.strip, ask(socket, "show stat").splitlines())
    columns = head.removeprefix("# ").split(",")
    parts = [dict(zip(columns, row.split(","), strict=False)) for row in rows]
    (backend,) = [part for part in parts if part["svname"] == "BACKEND"]
    counted = {key: backend[key] for key in ("econ", "eresp", "wretr", "hrsp_5xx")}
    return f"{counted} by its counters"


def shell() -> tuple[str, str]:
    with room() as root:
        app = free_port()
        (root / "app.py").write_text(APP)
        with edges.nginx(root, f"127.0.0.1:{app}", f"127.0.0.1:{app}") as edge:
            start = f"{sys.executable} app.py {app} & echo $! > app.pid"
            (root / "deploy.sh").write_text(f"#!/bin/sh\nkill $(cat app.pid)\nsleep 0.6\n{start}\n")
            (root / "deploy.sh").chmod(0o755)
            subprocess.run(["sh", "-c", start], cwd=root, check=True)
            try:
                verdict = measured(root, nginx_role(edge), "command.run", {"run": ["./deploy.sh"]})
            finally:
                subprocess.run(["sh", "-c", "kill $(cat app.pid)"], cwd=root, check=True)
            return interval_ms(
                verdict
            ), f"{gap_in_log_ms(root):.0f} ms between two good answers, by nginx's log"


def main(rounds: int) -> None:
    """Print one line a deploy and round."""
    print(f"{'deploy':<34} {'measured downtime':<20} what its own log says")  # noqa: T201
    for _ in range(rounds):
        for name, run in (
            ("nginx reload", reload if NGINX else None),
            ("nginx restart, 0.3 s apart", restart if NGINX else None),
            ("HAProxy, one release for another", switch if HAPROXY else None),
            ("a shell deploy, 0.6 s without", shell if NGINX else None),
        ):
            found, told = run() if run else ("–", "not on this machine")
            print(f"{name:<34} {found:<20} {told}", flush=True)  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
