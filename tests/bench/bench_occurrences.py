"""Three daemons on one PostgreSQL, killed at random, over the clock changes of three zones.

python -m tests.bench.bench_occurrences [seed]
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from tests.support.postgres_server import postgres
from tests.support.schedule_campaign import World, run_campaign

_START, _END = datetime(2026, 3, 7, tzinfo=UTC), datetime(2026, 4, 6, tzinfo=UTC)
_SPRING_AND_AUTUMN = World(
    start=_START,
    end=_END,  # New York 8 March, Berlin 29 March, Lord Howe (by half an hour, backwards) 4 April
    speed=(_END - _START).total_seconds() / 150,
    zones=("America/New_York", "Europe/Berlin", "Australia/Lord_Howe"),
)


def main() -> int:
    """Exit 0 if every planned instant is accounted for and none was started twice."""
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with postgres(directory) as database:
            outcome = run_campaign(directory, database, _SPRING_AND_AUTUMN, seed, kill_every_s=4.0)
    print(json.dumps(asdict(outcome), indent=2))  # noqa: T201  # its output
    wrong = (*outcome.unaccounted, *outcome.started_twice, *outcome.inconsistent)
    return 1 if wrong or outcome.unplanned else 0


if __name__ == "__main__":
    sys.exit(main())
