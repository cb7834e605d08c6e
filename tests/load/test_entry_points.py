"""What is installed is read once, and found as ever. In a process of its own: the module stands in for Python's."""

from __future__ import annotations

import json
import subprocess
import sys

PROGRAM = """
import importlib.metadata, json
groups = ("console_scripts", "gevent.plugins.monkey.did_patch_all", "none.of.the.kind")
before = [sorted(map(str, importlib.metadata.entry_points(group=group))) for group in groups]
reads = 0
def distributions(*, whole=importlib.metadata.distributions):
    global reads
    reads += 1
    return whole()
importlib.metadata.distributions = distributions
import seatrial.load.entry_points
import locust
after = [sorted(map(str, importlib.metadata.entry_points(group=group))) for group in groups]
(found,) = importlib.metadata.entry_points(group="console_scripts", name="locust")
print(json.dumps({"reads": reads, "before": before, "after": after, "locust": found.value}))
"""


def test_it_is_read_once_and_what_is_found_is_what_python_finds() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert told["reads"] == 1
    assert told["after"] == told["before"]
    assert told["before"][0]
    assert told["locust"].startswith("locust.main:")
