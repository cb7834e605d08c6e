"""How exact the instants of a request log are.

A log that a clock of whole seconds wrote says 12:00:07 of everything that happened in [12:00:07, 12:00:08).
So each instant x of a log stands for one that nobody wrote down, x*, of which only this is known:

    x - early  ≤  x*  ≤  x + late

with one pair of these for the instants of sending and one for those of ending. A clock that is cut to a
resolution r has early = 0 and late = r; one that is rounded has r / 2 and r / 2; an end that was reckoned as
start + duration has the sums of both. What is made of it: `seatrial.measure.reach`.

Some logs tell only when requests began, or only when they ended (`begins`, `ends`). Then nobody knows how
long any took, none can be called too late, and each is taken to have taken a deadline at the most.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Exactness:
    """How far the truth may lie from what a log says, in seconds, none of them negative."""

    sent_early_s: float = 0.0  # a request was sent at most so much before the instant that the log has
    sent_late_s: float = 0.0  # … and at most so much after it
    ended_early_s: float = 0.0
    ended_late_s: float = 0.0
    took_s: float = 0.0  # `ended - sent` is at most so much off; less than the sums where it was measured
    begins: bool = True  # the log tells when requests were sent
    ends: bool = True  # … and when they ended

    @property
    def inexact(self) -> bool:
        """Whether an instant may be another than the log says."""
        return bool(self.sent_s or self.ended_s)

    @property
    def took(self) -> bool:
        """Whether the log tells how long requests took."""
        return self.begins and self.ends

    @property
    def sent_s(self) -> float:
        """How far two instants of sending can be from the distance that the log shows between them."""
        return self.sent_early_s + self.sent_late_s

    @property
    def ended_s(self) -> float:
        """The same of two ends."""
        return self.ended_early_s + self.ended_late_s

    def off_by(self, doubt_s: float) -> Exactness:
        """The same where each instant may be `doubt_s` off besides, to either side.

        A clock that is not known well moves what was measured by it as a whole, so what a request took is as
        exact as it was.
        """
        return replace(
            self,
            sent_early_s=self.sent_early_s + doubt_s,
            sent_late_s=self.sent_late_s + doubt_s,
            ended_early_s=self.ended_early_s + doubt_s,
            ended_late_s=self.ended_late_s + doubt_s,
        )

    def within(self, deadline_s: float) -> Exactness:
        """What is not told at all is a deadline away at the most."""
        early = self.sent_early_s + (0.0 if self.begins else deadline_s)
        late = self.ended_late_s + (0.0 if self.ends else deadline_s)
        return replace(self, sent_early_s=early, ended_late_s=late)


EXACT = Exactness()
