from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

PREPARE = """
import gc, json, os, resource
from seatrial.load import machine
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 100), hard))
policies = []
for peak_per_s in (100.0, 20_000.0):
    machine.prepare(200, peak_per_s)
    policies.append(os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK)
print(json.dumps([policies, resource.getrlimit(resource.RLIMIT_NOFILE)[0], gc.get_freeze_count() > 0]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="scheduling policies of Linux")
def test_a_sedate_generator_goes_first_where_it_may_and_a_busy_one_never() -> None:
    done = subprocess.run([sys.executable, "-c", PREPARE], check=True, capture_output=True)
    (sedate, busy), files, frozen = json.loads(done.stdout)
    allowed = (os.SCHED_RR, os.SCHED_OTHER) if os.geteuid() == 0 else (os.SCHED_OTHER,)
    assert sedate in allowed  # a container's root may not be allowed either
    assert busy == os.SCHED_OTHER
    assert files >= 456
    assert frozen
