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

from seatrial.measure.picked import Instants, Picked
from seatrial.model import parts
from seatrial.model.requestlog import Floats, RequestLog
from seatrial.model.result import Bounds


@dataclass(frozen=True, slots=True)
class Completions:
    """The ok completions of a log in the order in which they ended, both of length m + 1.

    Element 0 is the log's first arrival: what came before is not counted. Gap j, 1 ≤ j ≤ m, lies between
    completions j - 1 and j. When the log ends in silence (a request sent after all that were answered ok was
    not), the last element is infinite: the service had not come back by then.
    """

    ended: Instants
    worked: Instants  # the latest at which this completion and those before it prove it to have worked
    last_known_s: float  # the last instant of which the log knows anything
    silent_by_s: float  # how long after the last that was answered ok one was sent that was not; or -inf

    @classmethod
    def of(cls, log: RequestLog) -> Completions:
        """Read them from `log`, whose rows may be in any order."""
        silent_by_s = _silent_by_s(log)
        ended, worked = _in_order(log, silent_by_s > 0)
        columns = (log.intended, log.sent, log.ended)
        last_known = max(float(np.fmax.reduce(column, initial=-np.inf)) for column in columns)
        return cls(ended, worked, last_known, silent_by_s)

    def longest_gap(self, start_s: float, end_s: float) -> Bounds:
        """The longest completion gap that begins before `end_s` and ends after `start_s`.

        Lower: the longest time between two successive ok completions, the only figure that sees a pure
        stall. Upper: the bound derived above, the longest silence for which the completions leave room.
        What lies before `start_s` is not counted, what goes on beyond `end_s` is. A silence that never
        ended is infinite, and so is the upper bound when no gap can be observed at all.
        """
        first = max(int(self.ended.searchsorted(start_s, side="right")), 1)
        stop = min(int(self.ended.searchsorted(end_s, side="left")) + 1, len(self.ended))
        if first >= stop:
            return Bounds(0.0, np.inf)
        longest_s, widest_s = 0.0, -np.inf
        for gaps in parts.parts(stop - first):
            low, high = first + gaps.start, first + gaps.stop
            after, before = self.ended[low:high], self.ended[low - 1 : high - 1]
            worked = self.worked[low - 1 : high - 1]
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
        # Element 0 is no completion, and none is earlier.
        low = np.clip(self.ended.searchsorted(failed_at, side="left") - 1, 0, gaps - 1)
        high = np.clip(self.worked.searchsorted(failed_by, side="right") - 1, 0, gaps - 1)
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


def _in_order(log: RequestLog, silent: bool) -> tuple[Picked, Picked]:
    """When the ok requests ended, ascending, and the latest that any of them until then was sent.

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
    ended, worked = (np.empty(count, dtype=np.int32) for _ in range(2))
    waiting, first, latest = np.empty(0, dtype=np.intp), 0, np.empty(0, dtype=np.intp)
    for stretch, until_s in zip(stretches, to_come, strict=True):
        rows = np.concatenate([waiting, _completed(log, stretch)])
        rows = rows[np.argsort(log.ended[rows], kind="stable")]
        over = int(np.searchsorted(log.ended[rows], until_s, side="right"))
        rows, waiting = rows[:over], rows[over:]
        ended[first : first + over] = rows
        latest = _latest_until(log.sent, np.concatenate([latest[-1:], rows]))
        worked[first : first + over] = latest[len(latest) - over :]
        first += over
    begun_s = float(np.min(log.intended, initial=np.inf))
    return Picked(begun_s, log.ended, ended, silent), Picked(begun_s, log.sent, worked, silent)


def _latest_until(sent: Floats, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """For each of some rows the one of it and those before it that was sent last."""
    instants = sent[rows]
    is_latest = instants == np.maximum.accumulate(instants)
    return rows[np.maximum.accumulate(np.where(is_latest, np.arange(len(rows)), 0))]


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
