"""Pass, fail or unknown. Unknown never counts as pass."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from seatrial.model.exitcodes import ExitCode


class Verdict(StrEnum):
    """The outcome of an objective, a check or a run.

    Merging is by severity: one fail fails the whole, else one unknown leaves it unknown.
    """

    PASS = "pass"  # noqa: S105  # a verdict, not a password
    UNKNOWN = "unknown"
    FAIL = "fail"

    @property
    def exit_code(self) -> int:
        """What a command ends with: 0 pass, 1 fail, 2 unknown."""
        return ExitCode[self.name]

    @classmethod
    def merge(cls, verdicts: Iterable[Verdict]) -> Verdict:
        """The verdict of the whole. Of nothing it is unknown: nothing was promised, so nothing was kept."""
        severity = (cls.PASS, cls.UNKNOWN, cls.FAIL)
        return max(verdicts, key=severity.index, default=cls.UNKNOWN)


def judge_bounds(lower: float, upper: float, target: float) -> Verdict:
    """An interval against a highest allowed value: pass if all of it is at or below, fail if none of it is.

    `lower ≤ target < upper` is unknown: the measurement is too coarse to tell, and a higher rate narrows it.
    """
    if upper <= target:
        return Verdict.PASS
    return Verdict.FAIL if lower > target else Verdict.UNKNOWN
