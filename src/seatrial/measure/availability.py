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

from seatrial.model import parts
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
    users = {log.name.values[code]: history for code, history in _histories(log, good, end_s)}
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


def rows_by_code(column: Coded) -> Iterator[tuple[int, npt.NDArray[np.int32 | np.int64]]]:
    """The rows, ascending, in which each value of a text column stands."""
    length, kinds = len(column.codes), len(column.values)
    totals = parts.counts(length, kinds, lambda rows: column.codes[rows])
    stops = np.cumsum(totals)
    free = stops - totals  # where the next row of each value goes
    order: npt.NDArray[np.int32 | np.int64]
    order = np.empty(length, dtype=np.int32 if length < 2**31 else np.int64)
    for rows in parts.parts(length):
        codes = column.codes[rows]
        here = np.argsort(codes, kind="stable")
        counted = np.bincount(codes, minlength=kinds)
        first = np.cumsum(counted) - counted
        ascending = codes[here]
        order[free[ascending] + np.arange(len(here)) - first[ascending]] = here + rows.start
        free += counted
    for code, (total, stop) in enumerate(zip(totals.tolist(), stops.tolist(), strict=True)):
        if total:
            yield code, order[stop - total : stop]


def _histories(log: RequestLog, good: Bools, end_s: float) -> Iterator[tuple[int, _UserHistory]]:
    """The history of each value of `name` that occurs: turns alone, which are few among its rows."""
    found: dict[int, list[_UserHistory]] = {}
    was_good = np.ones(len(log.name.values), dtype=np.bool_)
    for rows in parts.parts(len(log)):
        codes, due, well = log.name.codes[rows], log.intended[rows], good[rows]
        order = np.argsort(codes, kind="stable")
        starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
        for own in np.split(order, starts[1:]):
            code = int(codes[own[0]])
            turned = np.flatnonzero(np.diff(well[own], prepend=was_good[code]))
            at, falls = due[own[turned]], ~well[own[turned]]
            seen = due[own[:1]] if code not in found else due[:0]
            found.setdefault(code, []).append(_UserHistory(seen, at[falls], at[~falls]))
            was_good[code] = well[own[-1]]
    for code in sorted(found):
        whole = _UserHistory(*(np.concatenate(column) for column in zip(*found[code], strict=True)))
        yield code, whole if was_good[code] else whole._replace(rises=np.append(whole.rises, end_s))


def _records(name: str, curve: _Curve, windows_s: Sequence[float]) -> Iterator[Availability]:
    span = float(curve.at[-1] - curve.at[0])
    whole = float(curve.share_up(curve.at[:1], curve.at[-1:])[0])
    for length in [window for window in windows_s if window <= span] or [span]:
        worst, start = curve.worst(length)
        yield Availability(name, whole, length, worst, start)
