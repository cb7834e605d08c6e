"""Damaged request logs of every format; prints how many were measured and refused.

python -m tests.bench.bench_mutations [files of each format]
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from tests.support.mutations import FORMATS, run_campaign


def main() -> int:
    """Exit 0 if each was measured, or refused in a line that names it."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    with tempfile.TemporaryDirectory() as directory:
        outcomes = {name: run_campaign(Path(directory) / "log", name, count) for name in FORMATS}
    print(json.dumps({name: asdict(outcome) for name, outcome in outcomes.items()}, indent=2))  # noqa: T201  # its output
    return 1 if any(outcome.wrong for outcome in outcomes.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
