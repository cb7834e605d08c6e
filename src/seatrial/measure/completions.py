"""What the ok completions of a log prove about the longest silence of the service.

Each ok request was worked on at some instant w in [sent, ended]. Let (a, b) be a stretch in which the service
did not work, so that no w lies inside. Order the ok requests by `ended`. Those with w ≥ b come after the
stretch; let q be the first of them to end. Every request that ended before q then has w ≤ a, and

    b ≤ w_q ≤ ended_q      and      a ≥ w_i ≥ sent_i  for every i that ended before q
    b - a ≤ ended_q - max{sent_i : i ended before q}

for that q, whichever it is; the largest of these over all q bounds every stretch. With p the completion
just before q, max sent_i ≥ sent_p, so this is never wider than ended_q - sent_p, and it is much narrower
where p happened to be slow: a quick request that overlapped it proves that the service worked meanwhile.

             sent_p           ended_p                  sent_q  ended_q
    p ───────├────────────────┤                        ├───────┤ q
    i           ├──┤     ├──┤
                         └ worked here or later                └ worked by now: b - a ≤ ended_q - sent_i
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seatrial.model import parts
from seatrial.model.requestlog import Floats, RequestLog
from seatrial.model.result import Bounds


@dataclass(frozen=True, slots=True)
class Completions:
    """The ok completions of a log in the order in which they ended, both arrays of shape (m + 1,).

    Element 0 is the log's first arrival: what came before is not counted. Gap j, 1 ≤ j ≤ m, lies between
    completions j - 1 and j. When the log ends in silence (a request sent after all that were answered ok was
    not), the last element is infinite: the service had not come back by then.
    """

    ended: Floats
    worked: Floats  # the latest instant at which this completion and those before it prove it to have worked
    last_known_s: float  # the last instant of which the log knows anything
    silent_by_s: (
        float  # how long after the last that was answered ok one was sent that was not; -inf: none was
    )

    @classmethod
    def of(cls, log: RequestLog) -> Completions:
        """Read them from `log`, whose rows may be in any order."""
        silent_by_s = _silent_by_s(log)
        ended, worked = _in_order(log, silent_by_s > 0)
        columns = (log.intended, log.sent, log.ended)
        last_known = max(float(np.fmax.reduce(column, initial=-np.inf)) for column in columns)
        for instants in (ended, worked):
            np.maximum.accumulate(instants, out=instants)
        return cls(ended, worked, last_known, silent_by_s)

    def longest_gap(self, start_s: float, end_s: float) -> Bounds:
        """The longest completion gap that begins before `end_s` and ends after `start_s`.

        Lower: the longest time between two successive ok completions, the only figure that sees a pure
        stall. Upper: the bound derived above, the longest silence for which the completions leave room.
        What lies before `start_s` is not counted, what goes on beyond `end_s` is. A silence that never
        ended is infinite, and so is the upper bound when no gap can be observed at all.
        """
        first = max(int(np.searchsorted(self.ended, start_s, side="right")), 1)
        stop = min(int(np.searchsorted(self.ended, end_s, side="left")) + 1, len(self.ended))
        if first >= stop:
            return Bounds(0.0, np.inf)
        longest_s, widest_s = 0.0, -np.inf
        for gaps in parts.parts(stop - first):
            after = self.ended[first:stop][gaps]
            before = self.ended[first - 1 : stop - 1][gaps]
            worked = self.worked[first - 1 : stop - 1][gaps]
            lengths = np.minimum(after, self.last_known_s) - np.maximum(before, start_s)
            longest_s = max(longest_s, float(lengths.max()))
            widest_s = max(widest_s, float((after - np.maximum(worked, start_s)).max()))
        return Bounds(longest_s, widest_s)

    def longest_silence(
        self, failed_at: Floats, failed_by: Floats, floor_s: float = -np.inf
    ) -> tuple[Floats, Floats]:
        """The longest silence that can have caused the failures of each of g groups: since when, how long.

        Both of shape (g,), in seconds.

        `failed_at`: the failures of a group reach at least to this instant. `failed_by`: they began at the
        latest at this one. The q of the derivation ends at `failed_at` or later, and no later than the first
        completion of a request sent after `failed_by`, which is certainly past the silence. Between these two
        the longest gap counts, without what lies before `floor_s`. Infinite when nothing was completed.
        """
        gaps = len(self.ended) - 1
        if not gaps:
            from_the_start = np.full(len(failed_at), max(float(self.worked[0]), floor_s))
            return from_the_start, np.full(len(failed_at), np.inf)
        low = np.minimum(np.searchsorted(self.ended[1:], failed_at, side="left"), gaps - 1)
        high = np.minimum(np.searchsorted(self.worked[1:], failed_by, side="right"), gaps - 1)
        found = [
            self._longest_of(start, stop, floor_s)
            for start, stop in zip(low.tolist(), (np.maximum(low, high) + 1).tolist(), strict=True)
        ]
        since, rooms = np.array(found, dtype=np.float64).reshape(-1, 2).T
        return since, rooms

    def _longest_of(self, start: int, stop: int, floor_s: float) -> tuple[float, float]:
        """Of the gaps from `start` to before `stop`, counted from 0, the longest: since when, how long."""
        since = np.maximum(self.worked[start:stop], floor_s)
        rooms = self.ended[start + 1 : stop + 1] - since
        longest = int(np.argmax(rooms))
        return float(since[longest]), float(rooms[longest])


def _in_order(log: RequestLog, silent: bool) -> tuple[Floats, Floats]:
    """When the ok requests ended, ascending, and when each of them was sent, as `Completions` has them.

    `silent`: the log ends in silence.

    Requests end nearly in the order in which they were due. So those of a part of the log are sorted together
    with the few before them that ended after the earliest end that is still to come.
    """
    stretches = list(parts.parts(len(log)))
    count, earliest = 0, []
    for stretch in stretches:
        rows = _completed(log, stretch)
        count += len(rows)
        earliest.append(float(np.min(log.ended[rows], initial=np.inf)))
    to_come = parts.least_to_come(earliest)[1:]
    length = count + 1 + silent
    ended, worked = (np.full(length, np.inf) for _ in range(2))
    ended[0] = worked[0] = np.min(log.intended, initial=np.inf)
    waiting, first = np.empty(0, dtype=np.intp), 1
    for stretch, until_s in zip(stretches, to_come, strict=True):
        rows = np.concatenate([waiting, _completed(log, stretch)])
        rows = rows[np.argsort(log.ended[rows], kind="stable")]
        over = int(np.searchsorted(log.ended[rows], until_s, side="right"))
        rows, waiting = rows[:over], rows[over:]
        ended[first : first + over], worked[first : first + over] = log.ended[rows], log.sent[rows]
        first += over
    return ended, worked


def _completed(log: RequestLog, stretch: slice) -> npt.NDArray[np.intp]:
    """The rows of a stretch that were answered ok."""
    part = log[stretch]
    return int(stretch.start) + np.flatnonzero(part.ok & ~np.isnan(part.ended) & ~np.isnan(part.sent))


def _silent_by_s(log: RequestLog) -> float:
    """How long after the last request that was answered ok the last one was sent that was not.

    Infinite when none was answered ok, and -inf when all were that were sent.
    """
    answered_s = failed_s = -np.inf
    for stretch in parts.parts(len(log)):
        sent = log.sent[stretch]
        answered_s = float(np.max(sent[_completed(log, stretch) - stretch.start], initial=answered_s))
        failed = (~log.ok[stretch] | np.isnan(log.ended[stretch])) & ~np.isnan(sent)  # NaN: never sent
        failed_s = float(np.max(sent[failed], initial=failed_s))
    return failed_s - answered_s if failed_s > -np.inf else -np.inf
