"""What a check is: typed parameters, what it has to be told, and one method that judges a history.

    experiment ──► check ──needs()──► Need(recorder, role, when) ──► recorder asks the role ──► Recorded
                     └──────────────── judge(history) ◄── request log, steps, what was recorded ───┘

A check lives in a file of its own and is found by its declared name. It is given everything that was
recorded and returns a `CheckResult`; one that crashes is reported as unknown, never as pass. What it says of
the end of a run (all is signed, all agree, only blue answers) is no failure when the run was cut short: use
`of_the_end` for that. What is proven whatever would have followed (a lost write) fails all the same.

To add one: a file of this room called as the check is, with underscores, or a class in a package of your own
under the entry-point group `seatrial.checks`, and its test. It is a `DeclaredCheck` with a `name`, its
parameters as fields, and `judge`, which returns `found` or `of_the_end`. A whole one is
`tests/support/example_package/seatrial_example/answers_enough.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from seatrial.model.result import CheckResult, StepRecord
from seatrial.model.strict import Strict
from seatrial.model.verdict import Verdict

if TYPE_CHECKING:
    from seatrial.model.requestlog import RequestLog

Data = TypeVar("Data")
Read = TypeVar("Read")


class When(StrEnum):
    """When a role is asked."""

    BEFORE = "before"  # once it is in service, before the load
    DURING = "during"  # again and again, from before the load until everything is undone
    AFTER = "after"  # when the load is over and everything is undone


@dataclass(frozen=True)  # without slots: with them `Need[bytes](…)` raises in Python 3.11
class Need(Generic[Data]):
    """Something that a check has to be told: what a recorder notes down of a role.

    `recorder` is the declared name of one (see `seatrial.lookups.recorder`), `role` a name of the target's.
    """

    recorder: str
    role: str
    when: When = When.AFTER


@dataclass(frozen=True)
class Recorded(Generic[Data]):
    """What a recorder noted down; None, and the reason, when there is nothing."""

    data: Data | None
    error: str = ""
    directory: Path | None = None  # what is too large for memory, in the evidence


@dataclass(frozen=True, slots=True)
class History:
    """What happened in a run, as far as it was recorded. Instants are on the request log's clock."""

    log: RequestLog
    steps: tuple[StepRecord, ...]
    deadline_s: float
    end_s: float  # end of the measured part
    recorded: Mapping[Need[Any], Recorded[Any]] = field(default_factory=dict)
    zero_wall_s: float = math.nan  # the log's instant 0 in seconds since 1970, for clocks of others
    cut: str = ""  # why the run ended before its planned end; "" when it did not

    def told(self, need: Need[Data]) -> Recorded[Data]:
        """What was recorded for a need."""
        nothing: Recorded[Data] = Recorded(None, f"nobody was asked through the role '{need.role}'")
        return self.recorded.get(need, nothing)


class Check(Protocol):
    """A judge of the history."""

    name: ClassVar[str]

    def needs(self) -> tuple[Need[Any], ...]:
        """What it has to be told beside the request log and the steps."""

    def judge(self, history: History) -> CheckResult:
        """The verdict, and in one sentence what was found."""


class DeclaredCheck(Strict):
    """The base of every check: a frozen record of its parameters."""

    name: ClassVar[str]

    def needs(self) -> tuple[Need[Any], ...]:
        """Nothing, unless a check says otherwise."""
        return ()

    def of_the_end(self, history: History, detail: str, **figures: float) -> CheckResult:
        """A failure that speaks of how the story ended: unknown when the run was cut short before that."""
        if not history.cut:
            return self.found(Verdict.FAIL, detail, **figures)
        return self.found(Verdict.UNKNOWN, f"the run was cut short ({history.cut}): {detail}", **figures)

    def found(self, verdict: Verdict, detail: str, **figures: float) -> CheckResult:
        """A result of this check."""
        return CheckResult(self.name, verdict, detail, figures)


class RecordingCheck(DeclaredCheck):
    """The base of a check of the bytes that one recorder notes down of one role, when all is over."""

    recorder: ClassVar[str]
    role: str

    @property
    def recording(self) -> Need[bytes]:
        """What it has to be told."""
        return Need(self.recorder, self.role)

    def needs(self) -> tuple[Need[Any], ...]:
        """The recording alone."""
        return (self.recording,)

    def recorded(self, history: History, read: Callable[[bytes], Read]) -> Read | CheckResult:
        """The recording as it is read; a verdict, unknown, without one or where `read` raises ValueError."""
        told = history.told(self.recording)
        if told.data is None:
            return self.found(Verdict.UNKNOWN, told.error)
        try:
            return read(told.data)
        except ValueError as error:
            return self.found(Verdict.UNKNOWN, str(error))
