"""How far another machine's clock is from ours, what is not known of that, and rows moved by it.

    ours      asked ──────────────────────── heard
                   ╲                        ╱
    theirs          ╲──────── shown ───────╱

**One round trip.** The other clock read `shown` at some instant between `asked` and `heard`; nothing is
assumed of how the way there and the way back share the delay. Let θ(t) be how much the other clock is ahead
at our instant t. It had not yet passed `shown` when we asked, and had reached it when we heard, so

    θ(asked) ≤ shown - asked          θ(heard) ≥ shown - heard

Delay makes such an interval wide, never wrong. (NTP's filter picks the round trip of least delay for the same
reason, RFC 5905 section 10; here every round trip counts, and the quick ones decide by themselves.)

**Between round trips.** Two clocks drift apart by a bounded rate ρ, |θ(t) - θ(s)| ≤ ρ |t - s|. So each
bound holds at any other instant as well, loosened by ρ for each second between:

    max over i of  lower_i - ρ |t - heard_i|   ≤   θ(t)   ≤   min over i of  upper_i + ρ |t - asked_i|

That is all that the round trips and ρ say of θ(t), and no line has to be fitted: a drift that changes with
the temperature stays inside. Where the two cross, ρ was exceeded: a clock was set, or another machine
answered. Then nothing is known.

**Moving a row.** An instant w of the other clock was the t of ours with t + θ(t) = w. Let m(t) be the middle
of the band and d(t) half its width, both of which change by ρ a second at the most. Solving with m gives an s
with |t - s| = |θ(t) - m(s)| ≤ d(t) + ρ|t - s| and d(t) ≤ d(s) + ρ|t - s|, so

    |t - s|  ≤  d(s) / (1 - 2ρ)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from seatrial.model.exactness import EXACT, Exactness
from seatrial.model.requestlog import TIMES, Floats, RequestLog

MOST_DRIFT = 500e-6  # the most by which Linux steers a clock's rate (adjtimex: 500 ppm)
MOST_DOUBT_S = 0.25  # a clock that is known less well than this is not known
_STEPS = 3  # of solving t + m(t) = w: each leaves ρ of the error before it


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """One question and its answer, in seconds: `asked` and `heard` on our clock, `shown` on the other."""

    asked_s: float
    shown_s: float
    heard_s: float


@dataclass(frozen=True, slots=True)
class Clock:
    """What is known of another clock; the arrays have one element a round trip, by our instants ascending."""

    asked: Floats
    upper: Floats  # of θ at `asked`
    heard: Floats
    lower: Floats  # of θ at `heard`
    drift: float  # ρ

    @classmethod
    def of(cls, trips: Iterable[RoundTrip], drift: float = MOST_DRIFT) -> Clock:
        """From round trips in any order."""
        table = np.array([(trip.asked_s, trip.shown_s, trip.heard_s) for trip in trips]).reshape(-1, 3)
        asked, shown, heard = table[np.argsort(table[:, 0], kind="stable")].T
        upper = _tightest(asked, shown - asked, drift)
        order = np.argsort(heard, kind="stable")
        lower = -_tightest(heard[order], (heard - shown)[order], drift)
        return cls(asked, upper, heard[order], lower, drift)

    @property
    def known(self) -> bool:
        """Whether the round trips say anything, and do not contradict each other."""
        if not len(self.asked):
            return False
        lower, upper = self.bounds(np.concatenate([self.asked, self.heard]))
        return bool(np.all(lower <= upper))

    def bounds(self, at: Floats) -> tuple[Floats, Floats]:
        """Between which two values θ lies at our instants `at`; all of shape (n,), in seconds."""
        return (
            -_between(self.heard, -self.lower, at, self.drift),
            _between(self.asked, self.upper, at, self.drift),
        )

    def ahead(self, at: Floats) -> tuple[Floats, Floats]:
        """How much the other clock is ahead at our instants `at`, and how far that may be off."""
        lower, upper = self.bounds(at)
        return (lower + upper) / 2, (upper - lower) / 2

    def ours(self, theirs: Floats) -> tuple[Floats, Floats]:
        """Our instants when the other clock showed `theirs`, and how far these may be off; shape (n,)."""
        at = theirs - self.ahead(theirs - self.ahead(self.asked[:1])[0])[0]
        for _ in range(_STEPS):
            ahead, doubt = self.ahead(at)
            at = theirs - ahead
        return at, doubt / (1 - 2 * self.drift)


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of a worker's clock, in seconds; all of it None where it is not known."""

    worker: str
    ahead_s: float | None = None  # of the master's, when its load began
    drift: float | None = None  # seconds a second, over all round trips
    doubt_s: float | None = None  # how far an instant of its rows may be off
    round_trips: int = 0


def moved(
    log: RequestLog, clock: Clock, zero_there_s: float, zero_s: float, worker: str = ""
) -> tuple[RequestLog, Told]:
    """One worker's rows, which count from `zero_there_s` of its clock, as they count from `zero_s` of ours.

    Rows of a clock that is not known stay as they are, and no doubt is told of it.
    """
    trips = len(clock.asked)
    if not clock.known:
        return log, Told(worker, round_trips=trips)
    columns: dict[str, Any] = {}
    doubts = [0.0]
    for name in TIMES:
        instants = getattr(log, name)
        at, doubt = clock.ours(instants + zero_there_s)
        columns[name] = at - zero_s
        doubts.append(float(np.max(doubt[~np.isnan(instants)], initial=0.0)))
    first, last = clock.ahead(np.array([clock.asked[0], clock.heard[-1]]))[0]
    lasted_s = clock.heard[-1] - clock.asked[0]
    drift = float((last - first) / lasted_s) if trips > 1 else None
    at_zero = float(clock.ahead(np.array([zero_s]))[0][0])
    return replace(log, **columns), Told(worker, at_zero, drift, max(doubts), trips)


def exactness(told: Iterable[Told]) -> Exactness:
    """How exact the instants of a log are that these workers have written together."""
    doubt_s = max((each.doubt_s or 0.0 for each in told), default=0.0)
    return EXACT.off_by(doubt_s)


def unknown(told: Iterable[Told]) -> list[str]:
    """Those whose clocks are not known well enough to judge anything by, as people read it."""
    return [
        f"worker {each.worker}"
        + ("" if each.doubt_s is None else f" (by {each.doubt_s * 1000:.0f} ms at the most)")
        for each in told
        if each.doubt_s is None or each.doubt_s > MOST_DOUBT_S
    ]


def _tightest(at: Floats, upper: Floats, drift: float) -> Floats:
    """Upper bounds at ascending instants, each as tight as all the others make it."""
    forward = np.minimum.accumulate(upper - drift * at) + drift * at
    back = np.minimum.accumulate((upper + drift * at)[::-1])[::-1] - drift * at
    return np.minimum(forward, back)


def _between(at: Floats, upper: Floats, wanted: Floats, drift: float) -> Floats:
    """Those bounds at any instants: what the nearest one on either side allows; NaN stays NaN."""
    following = np.searchsorted(at, wanted)
    before, after = np.maximum(following - 1, 0), np.minimum(following, len(at) - 1)
    return np.asarray(
        np.minimum(
            upper[before] + drift * np.abs(wanted - at[before]),
            upper[after] + drift * np.abs(wanted - at[after]),
        )
    )
