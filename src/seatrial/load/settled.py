"""What of a spool has been settled: brought into Parquet, and forgotten in the spool itself.

    worker-0.spool          header │░░░░░░░░░░░░░░│░░░░░░░░░░░░░│▓▓▓▓▓▓▓►   ░ a hole: it takes no room
                                   └ worker-0.N.parquet ┘ └ … ┘  ▓ rows that are in the spool alone

The stretches lie one behind the other, N is the byte of the spool at which one begins, and its rows are in
the order of the spool. An index beside them says which there are, and what a reader must know who goes on
behind them. It is what decides: a stretch that it does not name is not there, and one that it names was on
the disk before. So whoever is killed at any instant leaves each row in one place, as a reader sees it.
"""

from __future__ import annotations

import json
import os
from bisect import bisect_right
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from seatrial import columnar, disk
from seatrial.home import private
from seatrial.model.problems import BadInput
from seatrial.model.requestlog import RequestLog


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some frames of a spool that have become a file of their own."""

    start: int  # bytes of the spool
    stop: int
    first: int  # how many rows came before
    rows: int


@dataclass(frozen=True, slots=True)
class Settled:
    """All stretches of one spool, in its order, and what was known at the end of the last."""

    stretches: tuple[Stretch, ...] = ()
    texts: tuple[str, ...] = ()  # all that had been told until then
    used: dict[str, list[int]] | None = None  # which of them each column holds
    last_s: float = 0.0  # the latest intended instant of all rows
    outstanding: str = ""  # requests in flight at the last flush, as the spool has them, in hexadecimal
    offer: dict[str, Any] | None = None
    scenario: str | None = None

    @classmethod
    def of(cls, spool: Path) -> Settled:
        """Read it; nothing is settled where there is no index. Raises BadInput when it is damaged."""
        path = _index(spool)
        try:
            plain = json.loads(path.read_bytes())
            return cls(
                tuple(Stretch(**each) for each in plain.pop("stretches")), tuple(plain.pop("texts")), **plain
            )
        except FileNotFoundError:
            return cls()
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise BadInput(f"{path}: is damaged: {error}") from error

    def write(self, spool: Path) -> None:
        """Put it beside the spool, durably and in one step. Raises OSError."""
        disk.write_whole(_index(spool), json.dumps(asdict(self), separators=(",", ":")).encode())

    @property
    def start(self) -> int:
        """The byte of the spool at which the first stretch begins; 0 without any."""
        return self.stretches[0].start if self.stretches else 0

    @property
    def stop(self) -> int:
        """The byte of the spool behind the last stretch; 0 without any."""
        return self.stretches[-1].stop if self.stretches else 0

    @property
    def rows(self) -> int:
        """How many there are in all stretches."""
        return self.stretches[-1].first + self.stretches[-1].rows if self.stretches else 0

    def holding(self, place: int) -> Stretch | None:
        """The stretch to which a byte of the spool belongs."""
        if not self.start <= place < self.stop:
            return None
        return self.stretches[bisect_right(self.stretches, place, key=lambda each: each.start) - 1]

    def behind(self, stretch: Stretch, known: Settled) -> Settled:
        """The same with one more, behind which that is `known`."""
        return replace(known, stretches=(*self.stretches, stretch))


def write(spool: Path, stretch: Stretch, rows: RequestLog) -> None:
    """Put the rows of a stretch on the disk. Raises OSError."""
    path = _file(spool, stretch)
    unfinished = path.with_name(path.name + ".part")
    try:
        with open(unfinished, "wb", opener=private) as file:
            columnar.write(columnar.table_of(rows), file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def read(spool: Path, stretch: Stretch) -> RequestLog:
    """The rows of a stretch. Raises BadInput when its file is damaged, OSError when it is not there."""
    path = _file(spool, stretch)
    try:
        with path.open("rb") as file:
            rows = columnar.log_in(file)
    except ValueError as error:
        raise BadInput(f"{path}: is damaged: {error}") from error
    if len(rows) != stretch.rows:
        raise BadInput(f"{path}: is damaged: it holds {len(rows)} rows in place of {stretch.rows}")
    return rows


def _index(spool: Path) -> Path:
    return spool.with_name(f"{spool.stem}.settled.json")


def _file(spool: Path, stretch: Stretch) -> Path:
    return spool.with_name(f"{spool.stem}.{stretch.start}.parquet")
