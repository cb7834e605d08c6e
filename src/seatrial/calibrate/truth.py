"""What the server says about the outages it planted: the truth that bounds are checked against.

The service is in one state at each instant: it works, or it does not. `length_s` is how long it was without a
break in the second state; that is what the server-outage bounds of an episode claim to hold.

* refuse, blackhole, stall, 5xx: the whole outage.
* flapping: the longest of its down phases.
* partial: the state is drawn anew at each request and holds until the next, so it is the longest time from a
  failed request to the next one that went well, or to the end of the outage.

`failed` is the number of requests that the server failed on purpose, where it saw them all; an episode must
count exactly as many bad arrivals, and its equivalent outage is then exact too.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from seatrial.calibrate.plan import Kind


@dataclass(frozen=True, slots=True)
class Truth:
    """One outage as it happened; instants are of CLOCK_MONOTONIC, in seconds."""

    kind: Kind
    began_s: float
    ended_s: float
    length_s: float
    uncertainty_s: float  # how far off `length_s` can be: switching is not instantaneous
    failed: int | None


def longest_failure(outcomes: Sequence[tuple[float, bool]], ended_s: float) -> float:
    """The longest time from a failed request to the next good one, or to `ended_s`.

    `outcomes`: when each request was answered, and whether well, in order of time.
    """
    longest, since = 0.0, None
    for at_s, well in [*outcomes, (ended_s, True)]:
        if well and since is not None:
            longest, since = max(longest, at_s - since), None
        elif not well and since is None:
            since = at_s
    return longest


def append(truth: Truth, journal: Path) -> None:
    """Write one line."""
    with journal.open("a") as file:
        file.write(json.dumps(asdict(truth)) + "\n")


def read(journal: Path) -> list[Truth]:
    """All that was written, in order."""
    return [Truth(**json.loads(line)) for line in journal.read_text().splitlines()]
