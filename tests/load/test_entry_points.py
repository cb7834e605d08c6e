"""What is installed is read once, and found as ever."""

from __future__ import annotations

import subprocess
import sys

from seatrial.load import entry_points

COUNTED = """
import importlib.metadata
reads = 0
def distributions(*, whole=importlib.metadata.distributions):
    global reads
    reads += 1
    return whole()
importlib.metadata.distributions = distributions
import seatrial.load.entry_points
import locust
print(reads)
"""


def test_what_is_found_is_what_python_finds() -> None:
    known = entry_points._read()
    assert entry_points.entry_points() == known
    for group in ("console_scripts", "gevent.plugins.monkey.did_patch_all", "none.of.the.kind"):
        assert entry_points.entry_points(group=group) == known.select(group=group)
    assert {found.name for found in entry_points.entry_points(group="console_scripts", name="locust")} == {
        "locust"
    }


def test_gevent_has_it_read_once() -> None:
    done = subprocess.run([sys.executable, "-c", COUNTED], capture_output=True, text=True, check=True)
    assert int(done.stdout) == 1
