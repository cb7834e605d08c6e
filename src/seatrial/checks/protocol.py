"""What a check is: typed parameters, and one method that judges a history.

A check lives in a file of its own and is found by its declared name. It is given everything that was
recorded and returns a `CheckResult`; one that crashes is reported as unknown, never as pass. What it says of
the end of a run (all is signed, all agree, only blue answers) is no failure when the run was cut short: use
`of_the_end` for that. What is proven whatever would have followed (a lost write) fails all the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

from seatrial.checks.replicas import Recorded
from seatrial.model.result import CheckResult, StepRecord
from seatrial.model.strict import Strict
from seatrial.model.verdict import Verdict

if TYPE_CHECKING:
    from seatrial.model.requestlog import RequestLog


@dataclass(frozen=True, slots=True)
class Stored:
    """What the target held when it was asked after the run: (id, content) of each copy of a write."""

    copies: tuple[tuple[str, str | None], ...]
    error: str = ""  # why it could not be asked


@dataclass(frozen=True, slots=True)
class History:
    """What happened in a run, as far as it was recorded. Instants are on the request log's clock."""

    log: RequestLog
    steps: tuple[StepRecord, ...]
    deadline_s: float
    end_s: float  # end of the measured part
    stored: Mapping[str, Stored] = field(default_factory=dict)  # role → which writes the target held
    recorded: Mapping[str, Recorded] = field(default_factory=dict)  # role → what it gave to the record
    zero_wall_s: float = math.nan  # the log's instant 0 in seconds since 1970, for clocks of others
    cut: str = ""  # why the run ended before its planned end; "" when it did not


class Check(Protocol):
    """A judge of the history."""

    name: ClassVar[str]

    def judge(self, history: History) -> CheckResult:
        """The verdict, and in one sentence what was found."""


@runtime_checkable
class AsksForWrites(Protocol):
    """A check that needs to know which of the run's writes the target holds."""

    def lookup_role(self) -> str:
        """The role through which the target is asked."""


@runtime_checkable
class AsksForRecording(Protocol):
    """A check that needs what a role says of itself after the run."""

    def recorded_role(self) -> str:
        """The role that is recorded."""


class DeclaredCheck(Strict):
    """The base of every check: a frozen record of its parameters."""

    name: ClassVar[str]

    def of_the_end(self, history: History, detail: str, **figures: float) -> CheckResult:
        """A failure that speaks of how the story ended: unknown when the run was cut short before that."""
        if not history.cut:
            return self.found(Verdict.FAIL, detail, **figures)
        return self.found(Verdict.UNKNOWN, f"the run was cut short ({history.cut}): {detail}", **figures)

    def found(self, verdict: Verdict, detail: str, **figures: float) -> CheckResult:
        """A result of this check."""
        return CheckResult(self.name, verdict, detail, figures)
