"""An experiment and a target as text, and what a plan of them says is wrong."""

from __future__ import annotations

from pathlib import Path

from seatrial import files
from seatrial.run.plan import problems_of_plan

EXPERIMENT = """\
experiment: x
load: {scenario: s.py, rate: 100/s}
duration: 10s
"""  # the next line is the fourth
TARGET = """\
target: shop
base_url: http://127.0.0.1:9000
roles:
  edge: {driver: haproxy, socket: run/haproxy.sock, map: active.map}
  worker: {driver: process, pidfile: run/worker.pid}
  database.primary: {driver: patroni, url: "http://127.0.0.1:8008"}
"""  # the next line is the seventh


def told(experiment: str, target: str | None = TARGET) -> list[str]:
    """What is wrong with an experiment, which is written to x.yaml, on a target, which goes to t.yaml."""
    Path("s.py").write_text("")
    Path("x.yaml").write_text(experiment)
    source = files.read("x.yaml", "experiment")
    if target is None:
        return list(map(str, problems_of_plan(source, None)))
    Path("t.yaml").write_text(target)
    return list(map(str, problems_of_plan(source, files.read("t.yaml", "target"))))


def timeline(*steps: str) -> str:
    """An experiment with these steps; the first stands in line 5."""
    return EXPERIMENT + "timeline:\n" + "".join(f"  - {step}\n" for step in steps)
