"""What the master of workers on other clocks puts on record of them, for whoever judges the run.

One line of JSON for each thing that it learns, beside the spools: who takes part and when zero is on its own
clock, every round trip of a clock, who was lost and when, who was heard again. The master judges nothing.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from seatrial import disk
from seatrial.home import private, private_directory
from seatrial.load.clocks import Clock, RoundTrip
from seatrial.load.offer import Offer
from seatrial.model.problems import BadInput

RECORD = "workers.jsonl"


@dataclass(frozen=True, slots=True)
class Member:
    """One worker of a test. `same_clock`: it runs on the master's machine and reads the very same clock."""

    name: str  # of its machine, and its process there
    same_clock: bool = False


@dataclass(frozen=True, slots=True)
class Loss:
    """A worker that was not heard for too long, or ended by itself."""

    index: int
    at_s: float  # after zero: when it was last heard
    why: str


class FleetRecord:
    """Writes the record."""

    def __init__(self, folder: Path) -> None:
        private_directory(folder)
        self._file = private(folder / RECORD, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)

    def begin(self, zero_monotonic_s: float, zero_unix_s: float, members: list[Member]) -> None:
        """Who takes part, in the order of their shares."""
        told = [asdict(member) for member in members]
        self._write({"zero_monotonic_s": zero_monotonic_s, "zero_unix_s": zero_unix_s, "members": told})

    def trip(self, index: int, trip: RoundTrip) -> None:
        """A round trip of a worker's clock."""
        self._write({"trip": [index, trip.asked_s, trip.shown_s, trip.heard_s]})

    def lost(self, loss: Loss) -> None:
        """A worker was lost."""
        self._write({"lost": asdict(loss)})

    def heard_again(self, index: int, at_s: float) -> None:
        """A worker that was lost is there again."""
        self._write({"again": [index, at_s]})

    def taken_over(self, index: int, from_s: float, heirs: Sequence[int]) -> None:
        """Others have the share of a lost worker from an instant on, in equal parts and this order."""
        self._write({"taken": [index, from_s, list(heirs)]})

    def offered(self, offer: Offer) -> None:
        """A rate of requests has become one of arrivals, as far as that is known."""
        self._write({"offer": offer.plain()})

    def ended(self, at_s: float) -> None:
        """The load of all was ended at that instant after zero."""
        self._write({"ended": at_s})

    def _write(self, what: dict[str, Any]) -> None:
        line = json.dumps(what, separators=(",", ":")).encode() + b"\n"
        size = os.fstat(self._file).st_size
        try:
            while line:
                line = line[os.write(self._file, line) :]
        except OSError:
            os.ftruncate(self._file, size)  # half a line would spoil the next one
            raise


@dataclass(slots=True)
class FleetReader:
    """Reads a record, once or as it grows."""

    path: Path
    zero: tuple[float, float] | None = None  # on the master's monotonic clock, and by its wall clock
    members: list[Member] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    again: dict[int, float] = field(default_factory=dict)
    taken: dict[int, float] = field(default_factory=dict)
    heirs: dict[int, list[int]] = field(default_factory=dict)  # who take what was taken over, in order
    ended_s: float | None = None  # after zero
    offer: Offer | None = None  # as all workers have it, once a rate of requests has become one of arrivals
    _trips: dict[int, list[RoundTrip]] = field(default_factory=lambda: defaultdict(list))
    _offset: int = 0

    def poll(self) -> None:
        """Read what was added. Raises BadInput for what is no record, CannotStore as the disk does."""
        with disk.storing("the record of load workers", self.path):
            try:
                with self.path.open("rb") as file:
                    file.seek(self._offset)
                    added = file.read()
            except FileNotFoundError:
                return
        for line in added[: added.rfind(b"\n") + 1].splitlines(keepends=True):
            try:
                self._take(json.loads(line))
            except (ValueError, TypeError, KeyError, IndexError) as error:
                raise BadInput(f"{self.path}: is damaged at byte {self._offset}: {error}") from error
            self._offset += len(line)

    def clock(self, index: int) -> Clock:
        """What is known of a worker's clock."""
        return Clock.of(self._trips[index])

    def _take(self, said: dict[str, Any]) -> None:
        if "trip" in said:
            index, *instants = said["trip"]
            self._trips[index].append(RoundTrip(*instants))
        elif "members" in said:
            self.zero = said["zero_monotonic_s"], said["zero_unix_s"]
            self.members = [Member(**each) for each in said["members"]]
        elif "lost" in said:
            self.losses.append(Loss(**said["lost"]))
        elif "taken" in said:
            index, self.taken[index], *heirs = said["taken"]  # who wrote it earlier has not told them
            self.heirs[index] = heirs[0] if heirs else []
        elif "offer" in said:
            offer = Offer.of_plain(said["offer"])
            self.offer = offer if offer.counts == "arrivals" else None
        elif "ended" in said:
            self.ended_s = said["ended"]
        elif "again" in said:
            self.again[said["again"][0]] = said["again"][1]
