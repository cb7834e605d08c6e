"""Kills who writes a spool and who settles it at random instants: `python -m tests.support.settling_kills KILLS SEED`.

A generator's stand-in puts down numbered rows without end, and says how many the spool has; another
process settles them a few at a time. Of each kill it is looked whether who reads afresh, and who has read along
all the time, finds every row that the spool had: once, and in its turn.
"""

from __future__ import annotations

import json
import mmap
import os
import random
import signal
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np

from seatrial.load.offer import Offer, Share
from seatrial.load.recorder import Recorder
from seatrial.load.settled import Settled
from seatrial.load.settling import settle
from seatrial.load.spool import SpoolHeader, SpoolReader
from seatrial.load.spools import Spools
from seatrial.model.arrivals import RateStep
from seatrial.model.problems import SeatrialError
from seatrial.model.quantities import Rate
from seatrial.model.requestlog import Floats

HEADER = SpoolHeader(
    "0",
    1,
    500.0,
    1.7e9,
    Offer((RateStep(0.0, Rate(1000, 1.0)),), "even", 5, 0.0, 0.0),
    Share(),
    1.0,
    "s.py",
    "",
)
A_FLUSH, A_STRETCH = 20, 100  # rows
LONGEST_S = 0.2  # between two kills
_PAUSE_S = 0.002
_COUNT = struct.Struct("<Q")


@dataclass
class Tally:
    """What came of a campaign."""

    kills: int = 0
    of_writers: int = 0
    rows: int = 0
    stretches: int = 0
    lost: int = 0
    doubled: int = 0
    troubles: int = 0  # readings that found damage


def forked(work: Callable[[], NoReturn]) -> int:
    """A process that does it until it is killed."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(1)
    return pid


def end(*pids: int) -> None:
    """Kill them, and wait until they are gone."""
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    for pid in pids:
        os.waitpid(pid, 0)


def writing(path: Path, count: mmap.mmap) -> NoReturn:
    """Number k is due at k thousandths of a second."""
    recorder, number = Recorder(path, HEADER), 0
    while True:
        for _ in range(A_FLUSH):
            at_s = number / 1000
            key = f"key {number}" if number % 5 == 0 else None
            recorder.add(at_s, at_s, at_s + 0.1, True, 200, f"GET /{number % 7}", "", "", key)
            number += 1
        recorder.flush([(number / 1000, number / 1000, "GET /open")])
        _COUNT.pack_into(count, 0, number)
        time.sleep(_PAUSE_S)


def settling(path: Path) -> NoReturn:
    """Whatever there is."""
    reader = SpoolReader(path)
    while True:
        reader.poll()
        settle(path, reader.place, A_STRETCH)


class Round:
    """One spool, until its writer is killed."""

    def __init__(self, folder: Path, tally: Tally) -> None:
        self._folder = folder
        self._path = folder / "worker-0.spool"
        self._tally = tally
        self._count = mmap.mmap(-1, _COUNT.size)
        self._along, self._followed = SpoolReader(self._path), 0
        self._writer = forked(lambda: writing(self._path, self._count))
        while self.written == 0:
            time.sleep(0.001)
        self._settler = forked(lambda: settling(self._path))

    @property
    def written(self) -> int:
        """How many rows the spool has, at the least."""
        return int(_COUNT.unpack_from(self._count)[0])

    def kill(self, whom: str) -> bool:
        """Kill and look; whether it goes on."""
        goes_on = whom == "settler"
        end(*([self._settler] if goes_on else [self._settler, self._writer][whom == "writer" :]))
        self._tally.kills += 1
        if whom == "writer":
            time.sleep(LONGEST_S / 4)  # the other goes on
            end(self._settler)
        had = self.written
        self._look(had)
        if goes_on:
            self._settler = forked(lambda: settling(self._path))
        else:
            self._tally.of_writers += 1
            self._tally.rows += had
            self._tally.stretches += len(Settled.of(self._path).stretches)
        return goes_on

    def _look(self, had: int) -> None:
        try:
            found = Spools(self._folder).whole()
            self._tally.troubles += bool(found.spoiled)
            self._compare(found.log.intended[~np.isnan(found.log.ended)], 0, had)
            keys = [] if found.log.keys is None else list(found.log.keys.texts())
            self._tally.lost += keys != [f"key {number}" for number in range(0, 5 * len(keys), 5)]
            along = self._along.poll().intended
            self._compare(along, self._followed, had)
            self._followed += len(along)
        except SeatrialError:
            self._tally.troubles += 1

    def _compare(self, due_s: Floats, first: int, had: int) -> None:
        numbers = np.rint(due_s * 1000).astype(int)
        self._tally.doubled += len(numbers) - len(np.unique(numbers))
        self._tally.lost += max(had - first - len(numbers), 0)
        self._tally.lost += int(np.count_nonzero(numbers != np.arange(first, first + len(numbers))))


def campaign(kills: int, seed: int) -> Tally:
    """So many kills."""
    choose, tally = random.Random(seed), Tally()
    while tally.kills < kills:
        with tempfile.TemporaryDirectory(prefix="seatrial-settling-") as name:
            spool, goes_on = Round(Path(name), tally), True
            while goes_on:
                time.sleep(choose.uniform(0.0, LONGEST_S))
                last = tally.kills + 1 >= kills
                goes_on = spool.kill(
                    "both" if last else choose.choice(("settler", "settler", "writer", "both"))
                )
    return tally


if __name__ == "__main__":
    print(json.dumps(asdict(campaign(int(sys.argv[1]), int(sys.argv[2])))))  # noqa: T201
