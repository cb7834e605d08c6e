"""Is there room for a run? Asked before anything is started: a disk that cannot suffice is told at once.

What a run writes, at the least: a row of each arrival in the spool (41 bytes, keys not counted; 17 once it is
settled there) and again in `requests.parquet` (17 bytes: 600,000 rows made 10 MB), the report and the seal at
its end, and in the state directory the fault journal. A run that may just fit is started: if the disk is full
in the end, it says so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from seatrial import disk
from seatrial.load.settling import AT_ONCE
from seatrial.load.spool import ROW
from seatrial.model.arrivals import ArrivalSchedule, RateStep
from seatrial.model.problems import CannotStore
from seatrial.run.evidence import ROOM

_PARQUET_ROW = 17  # bytes
_STATE = 2 << 20  # bytes in the state directory: journal, run database, the record of the open run


def require_room(
    shape: Sequence[RateStep], warmup_s: float, duration_s: float, evidence: Path, home: Path
) -> None:
    """Raise CannotStore when a run of this load cannot fit where its evidence and its state are to be.

    `evidence` need not exist. Lengths in seconds.
    """
    rows = arrivals(shape, warmup_s, duration_s)
    spooled = min(rows, AT_ONCE) * ROW.size + max(rows - AT_ONCE, 0.0) * _PARQUET_ROW
    needs = ((evidence, round(spooled + rows * _PARQUET_ROW) + ROOM), (home, _STATE))
    wanted: dict[int, int] = defaultdict(int)
    places: dict[int, Path] = {}
    for place, size in needs:
        device = disk.nearest_existing(place).stat().st_dev
        wanted[device] += size
        places.setdefault(device, place)
    for device, size in wanted.items():
        free = disk.free_bytes(places[device])
        choice = "SEATRIAL_HOME" if places[device] == home else "--out"
        if free is not None and free < size:
            raise CannotStore(
                f"{places[device]}: a run of about {round(rows):,} arrivals writes at least"
                f" {disk.amount(size)} there, and {disk.amount(free)} are free; nothing was started",
                f"free some room there, or choose another place with {choice}",
            )


def arrivals(shape: Sequence[RateStep], warmup_s: float, duration_s: float) -> float:
    """How many arrivals are offered: the integral of the rate, and the first rate during the warm-up."""
    measured = ArrivalSchedule(tuple(shape), duration_s).offered(duration_s)
    return shape[0].rate.per_second * warmup_s + measured
