"""HAProxy's own log of the testbed's edge: what clients are compared with."""

from __future__ import annotations

from seatrial.testbed import TestbedState
from seatrial.testbed.parts.haproxy import LOG_COLUMNS
from seatrial.testbed.places import Places


def answers_of(testbed: TestbedState, from_unix_s: float, to_unix_s: float) -> list[tuple[float, int]]:
    """(instant in seconds of the epoch, status) of every answer in a span, in order."""
    lines = (line.split() for line in Places(testbed.root).log("edge").read_text().splitlines())
    rows = (dict(zip(LOG_COLUMNS, line, strict=True)) for line in lines if len(line) == len(LOG_COLUMNS))
    found = [
        (int(row["ended_us"]) / 1e6, int(row["status"]))
        for row in rows
        if not row["uri"].startswith(("/healthz", "/readyz"))
    ]
    return sorted(each for each in found if from_unix_s <= each[0] < to_unix_s)
