"""Incidents through a failing PagerDuty with senders killed at random; prints what arrived.

python -m tests.bench.bench_outbox [incidents] [seed]
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from tests.support.outbox_campaign import run_campaign


def main() -> int:
    """Exit 0 if every incident arrived once and in order."""
    incidents = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with tempfile.TemporaryDirectory() as directory:
        outcome = run_campaign(Path(directory), incidents, 40, seed, within_s=900, retry_after_s="1")
    kept = (outcome.arrived, outcome.duplicates, outcome.left_open, outcome.out_of_order, outcome.parked)
    print(json.dumps({**asdict(outcome), "duplicates": outcome.duplicates}, indent=2))  # noqa: T201  # its output
    return 0 if kept == (incidents, 0, 0, 0, 0) else 1


if __name__ == "__main__":
    sys.exit(main())
