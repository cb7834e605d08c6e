"""A run whose undo fails, as a user starts it: verdict, last lines, incident, and the refusal that follows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from xml.etree import ElementTree as ET

import pytest

pytestmark = pytest.mark.e2e

SCENARIO = """\
from locust import task
from seatrial.load import OpenLoopUser
class Visitor(OpenLoopUser):
    @task
    def home(self):
        self.client.get("/")
"""
EXPERIMENT = """\
experiment: boom
load: {scenario: home.py, rate: 20/s}
duration: 2s
timeline:
  - {at: 500ms, fault: command.run, on: cache, name: boom, with: {inject: ["true"], undo: [sh, -c, "exit 3"]}}
objectives: {errors: {max: 50%}}
"""


class Ok(BaseHTTPRequestHandler):
    """Answers everything."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:  # http.server looks for this name
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Path]:
    """A working directory with a target of its own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Ok)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    (tmp_path / "home.py").write_text(SCENARIO)
    (tmp_path / "boom.yaml").write_text(EXPERIMENT)
    (tmp_path / "target.yaml").write_text(
        f"target: toy\nbase_url: http://127.0.0.1:{server.server_port}\nallow: [127.0.0.1]\n"
        "ready: /\nroles:\n  cache: {driver: command}\n"
    )
    yield tmp_path
    server.shutdown()
    server.server_close()
    thread.join()


def seatrial(desk: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "seatrial", *arguments],
        cwd=desk,
        env={**os.environ, "SEATRIAL_HOME": str(desk / "home"), "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )


def test_a_run_whose_undo_fails_has_failed_and_says_what_to_do(desk: Path) -> None:
    ran = seatrial(desk, "run", "boom.yaml", "--target", "target.yaml", "--json")
    by_hand = f"cd {desk} && sh -c 'exit 3'"
    assert ran.returncode == 1, ran.stderr
    assert "Traceback" not in ran.stderr
    assert ran.stderr.splitlines()[-3:] == [
        "boom (command.run on cache) is left behind, NOT undone: sh failed with 3",
        f"by hand    {by_hand}",
        "then       seatrial recover",
    ]
    verdict = json.loads(ran.stdout)
    assert verdict["verdict"] == "fail"
    assert verdict["reasons"][0].startswith(
        "boom (command.run on cache) could not be undone: sh failed with 3"
    )
    assert (verdict["faults"][0]["undo"], verdict["faults"][0]["by_hand"]) == ("failed", by_hand)
    (evidence,) = (desk / "runs").iterdir()
    assert by_hand.replace("&", "&amp;").replace("'", "&#39;") in (evidence / "report.html").read_text()
    failure = ET.parse(evidence / "junit.xml").find(".//testcase[@name='boom']/failure")
    assert failure is not None
    assert by_hand in (failure.text or "")
    told = seatrial(desk, "incidents", "list", "--dry-run")
    assert "critical" in told.stdout + told.stderr
    again = seatrial(desk, "run", "boom.yaml", "--target", "target.yaml")
    assert again.returncode == 2
    (line,) = again.stderr.splitlines()
    assert by_hand in line
    assert "seatrial recover" in line
    assert seatrial(desk, "recover").returncode == 1
