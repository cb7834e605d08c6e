"""Windowed user-uptime: how available the service was to each tenant, and in its worst stretch.

After Hauer, Hoffmann, Lunney, Ardelean & Diwan, *Meaningful Availability* (NSDI 2020): a user is up from a
good request of theirs until their next bad one, down from a bad one until their next good one, and

    user-uptime = Σ_u uptime(u) / Σ_u (uptime(u) + downtime(u))

so a busy user weighs no more than a quiet one, and one long outage is told from many short ones by looking
at the worst window of each length. A user here is a tenant, or whatever else the scenario names its
requests by. Before a user's first request nothing is known of them; at an open-model rate nobody is ever
inactive for long, so the paper's cut-off of inactivity is left out.

Time up is piecewise linear in the window's position, and so is time observed; between two points where
either changes its slope their ratio is monotone. Hence the worst window begins or ends at such a point, or at
an edge, and only those are tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from seatrial.model.requestlog import Bools, Coded, Floats, RequestLog
from seatrial.model.result import Availability

EVERYBODY = ""
WINDOWS_S = (1.0, 10.0, 60.0)


class _UserHistory(NamedTuple):
    """When users were first seen, fell and rose again."""

    seen: Floats
    falls: Floats
    rises: Floats  # as many as falls: who stays down rises at the end

    @classmethod
    def of(cls, due: Floats, good: Bools, end_s: float) -> _UserHistory:
        """The history of one user, whose requests were due at `due`."""
        turns = np.append(due, end_s)[np.flatnonzero(np.diff(~good, prepend=False, append=False))]
        return cls(due[:1], turns[::2], turns[1::2])


@dataclass(frozen=True, slots=True)
class _Curve:
    """Time that users were observed, and were down, up to each of some instants; shapes (k,)."""

    at: Floats
    observed: Floats
    down: Floats

    @classmethod
    def of(cls, history: _UserHistory, end_s: float) -> _Curve:
        """Integrate how many users were seen, and how many were down, until `end_s`."""
        at = np.concatenate((*history, [end_s]))
        counts = [*(len(column) for column in history), 1]
        observers = np.repeat((1.0, 0.0, 0.0, 0.0), counts)
        fallen = np.repeat((0.0, 1.0, -1.0, 0.0), counts)
        order = np.argsort(at, kind="stable")
        at = at[order]
        steps = np.diff(at, prepend=at[0])

        def integral(slope_changes: Floats) -> Floats:
            slopes = np.cumsum(slope_changes[order])
            return np.cumsum(steps * np.append(0.0, slopes[:-1]))

        return cls(at, integral(observers), integral(fallen))

    def share_up(self, start: Floats, stop: Floats) -> Floats:
        """Share of the observed time in [start, stop) that was up; 1 where nothing was observed."""
        observed, down = (
            np.interp(stop, self.at, column) - np.interp(start, self.at, column)
            for column in (self.observed, self.down)
        )
        return np.asarray(1 - np.divide(down, observed, out=np.zeros_like(down), where=observed > 0))

    def worst(self, length_s: float) -> tuple[float, float]:
        """The lowest share up in a window of `length_s`, and where that window begins."""
        low, high = float(self.at[0]), max(float(self.at[0]), float(self.at[-1]) - length_s)
        starts = np.clip(np.concatenate((self.at, self.at - length_s)), low, high)
        shares = self.share_up(starts, starts + length_s)
        worst = int(np.argmin(shares))
        return float(np.clip(shares[worst], 0.0, 1.0)), float(starts[worst])


def availability(
    log: RequestLog, good: Bools, end_s: float, windows_s: Sequence[float] = WINDOWS_S
) -> tuple[Availability, ...]:
    """Windowed user-uptime of everybody together (named "") and of each request name in `log`.

    `log` is sorted by intended instant. There is one record for each name and each window length that fits
    into the observed time, or one for the whole of it when none fits.
    """
    if not len(log):
        return ()
    users = {
        log.name.values[code]: _UserHistory.of(log.intended[rows], good[rows], end_s)
        for code, rows in rows_by_code(log.name)
    }
    everybody = _UserHistory(*(np.concatenate(column) for column in zip(*users.values(), strict=True)))
    return tuple(
        record
        for name, history in ((EVERYBODY, everybody), *users.items())
        for record in _records(name, _Curve.of(history, end_s), windows_s)
    )


def availability_of(
    name: str, due: Floats, good: Bools, end_s: float, windows_s: Sequence[float] = WINDOWS_S
) -> tuple[Availability, ...]:
    """The same of one user, whose requests were due at `due`, ascending and at least one."""
    return tuple(_records(name, _Curve.of(_UserHistory.of(due, good, end_s), end_s), windows_s))


def rows_by_code(column: Coded) -> Iterator[tuple[int, npt.NDArray[np.intp]]]:
    """The rows, ascending, in which each value of a text column stands."""
    narrow = column.codes.astype(np.uint16) if len(column.values) < 2**16 else column.codes
    order = np.argsort(narrow, kind="stable")  # a radix sort for 16 bits: linear in the rows
    stops = np.searchsorted(column.codes[order], np.arange(len(column.values)), side="right")
    for code, (start, stop) in enumerate(zip(np.append(0, stops[:-1]), stops, strict=True)):
        if stop > start:
            yield code, order[start:stop]


def _records(name: str, curve: _Curve, windows_s: Sequence[float]) -> Iterator[Availability]:
    span = float(curve.at[-1] - curve.at[0])
    whole = float(curve.share_up(curve.at[:1], curve.at[-1:])[0])
    for length in [window for window in windows_s if window <= span] or [span]:
        worst, start = curve.worst(length)
        yield Availability(name, whole, length, worst, start)
