"""HTTP/2 with real servers: what a reload and a restart look like to its clients, and what the servers say."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.support import edges
from tests.support.edges import needs_haproxy, needs_nginx
from tests.support.listeners import free_port
from tests.support.rows import read_log
from tests.support.waiting import wait_until

pytestmark = pytest.mark.e2e

LOCUSTFILE = """\
from locust import FastHttpUser, task
class Visitor(FastHttpUser):
    @task
    def home(self):
        self.client.get("/")
"""
EXPERIMENT = """\
experiment: deploys
load: {{scenario: locustfile.py, rate: 200/s, http: 2}}
warmup: 500ms
duration: 4500ms
timeline:
  - {{at: 1s, action: command.run, on: edge, name: reload, with: {{run: [sh, -c, "{reload}"]}}}}
  - {{at: 2600ms, action: command.run, on: edge, name: restart, with: {{run: [sh, -c, "{restart}"]}}}}
objectives:
  downtime: {{max: 5s}}
"""
GONE_S = 0.4


def run(directory: Path, url: str, **commands: str) -> dict[str, Any]:
    """An experiment on the server at `url`, with its own state."""
    role = {"driver": "process"}
    target = {"target": "edge", "base_url": url, "ready": "/ready", "roles": {"edge": role}}
    (directory / "target.yaml").write_text(json.dumps(target))
    (directory / "locustfile.py").write_text(LOCUSTFILE)
    (directory / "x.yaml").write_text(EXPERIMENT.format(**commands))
    done = subprocess.run(
        [sys.executable, "-m", "seatrial", "run", "x.yaml", "--target", "target.yaml", "--json"],
        cwd=directory,
        env=os.environ | {"SEATRIAL_HOME": str(directory / "home")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout, done.stderr
    return dict(json.loads(done.stdout))


@needs_nginx
@pytest.mark.long
def test_a_reload_and_a_restart_are_measured_as_the_server_tells_them(tmp_path: Path) -> None:
    with edges.release("blue") as blue, edges.nginx(tmp_path, blue, blue) as edge:
        again = f"{edges.NGINX} -p {tmp_path} -c {tmp_path / 'nginx.conf'}"
        gone = f"{again} -s stop; while [ -e nginx.pid ]; do sleep 0.005; done; sleep {GONE_S}; {again} & sleep 0.1"
        verdict = run(tmp_path, edge.http2_url, reload=f"{again} -s reload", restart=f"cd {tmp_path}; {gone}")
        subprocess.run([*again.split(), "-s", "stop"], check=True, stderr=subprocess.DEVNULL)
        assert edge.process is not None
        edge.process.wait(20)
        edge.process = None
    assert verdict["load"]["http"] == "2"
    (evidence,) = (tmp_path / "runs").iterdir()
    assert "HTTP/2: all users share one warm pool of connections" in (evidence / "report.html").read_text()
    lines = [line.split() for line in (tmp_path / "access.log").read_text().splitlines()]
    heard = [line for line in lines if line[1] == "200" and line[3:5] == ["/", "HTTP/2.0"]]
    gap_s = max(later - earlier for earlier, later in pairwise(float(line[0]) for line in heard))
    # GOAWAY: each of the three nginx had connections of its own, and they carried hundreds of requests each
    assert 3 <= len({line[5] for line in heard}) < 100
    rows = read_log(evidence / "requests.parquet")
    assert len(heard) == sum(rows.ok), "what nginx says it has answered, clients have got"
    outage = max(verdict["outages"], key=lambda each: float(each["server"]["upper_s"]))
    assert outage["server"]["lower_s"] <= gap_s + 0.001
    assert outage["server"]["upper_s"] >= GONE_S
    assert outage["perceived"]["upper_s"] >= outage["perceived"]["lower_s"] >= GONE_S - 0.1
    others = [each for each in verdict["outages"] if each is not outage]
    assert all(each["start_s"] < 2.5 and each["bad"] < 5 for each in others), "the reload's own, if any"


HAPROXY_CFG = """\
defaults
  mode http
  timeout connect 2s
  timeout client 30s
  timeout server 30s
frontend edge
  bind 127.0.0.1:{port} ssl crt {root}/both.pem alpn {alpn}
  http-request return status 200 content-type text/plain hdr x-release blue string "aye"
"""


@needs_haproxy
@pytest.mark.parametrize("alpn", ["h2,http/1.1", "http/1.1"])
def test_by_tls_it_is_agreed_to_or_told_before_anything_is_sent(tmp_path: Path, alpn: str) -> None:
    port = free_port()
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-days", "2", "-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "cert.pem"),
        ],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    (tmp_path / "both.pem").write_text(
        (tmp_path / "cert.pem").read_text() + (tmp_path / "key.pem").read_text()
    )
    (tmp_path / "h.cfg").write_text(HAPROXY_CFG.format(port=port, root=tmp_path, alpn=alpn))
    (tmp_path / "locustfile.py").write_text(LOCUSTFILE)
    command = [
        *(
            sys.executable,
            "-m",
            "seatrial.load",
            "-f",
            "locustfile.py",
            "--host",
            f"https://127.0.0.1:{port}",
        ),
        *("--headless", "--only-summary", "--exit-code-on-error", "0", "--http", "2"),
        *("--rate", "50/s", "--duration", "1s", "--request-log", "log.parquet"),
    ]
    with subprocess.Popen([str(edges.HAPROXY), "-db", "-f", str(tmp_path / "h.cfg")]) as edge:
        try:
            wait_until(lambda: is_listening(port))
            done = subprocess.run(
                command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
            )
        finally:
            edge.terminate()
    if alpn == "http/1.1":
        assert done.returncode == 64
        (line,) = [line for line in done.stderr.splitlines() if "does not speak it" in line]
        assert "leave it out" in line
        assert not (tmp_path / "log.parquet").exists()
        return
    assert done.returncode == 0, done.stderr
    rows = read_log(tmp_path / "log.parquet")
    assert (len(rows), all(rows.ok)) == (50, True)


def is_listening(port: int) -> bool:
    with socket.socket() as knock:
        return knock.connect_ex(("127.0.0.1", port)) == 0
