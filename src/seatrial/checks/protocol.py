"""What a check is: typed parameters, and one method that judges a history.

A check lives in a file of its own and is found by its declared name. It is given everything that was
recorded and returns a `CheckResult`; one that crashes is reported as unknown, never as pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

from seatrial.model.experiment import Strict
from seatrial.model.requestlog import RequestLog
from seatrial.model.result import CheckResult, StepRecord
from seatrial.model.verdict import Verdict


@dataclass(frozen=True, slots=True)
class History:
    """What happened in a run, as far as it was recorded. Instants are on the request log's clock."""

    log: RequestLog
    steps: tuple[StepRecord, ...]
    deadline_s: float
    end_s: float  # end of the measured part


class Check(Protocol):
    """A judge of the history."""

    name: ClassVar[str]

    def judge(self, history: History) -> CheckResult:
        """The verdict, and in one sentence what was found."""


class DeclaredCheck(Strict):
    """The base of every check: a frozen record of its parameters."""

    name: ClassVar[str]

    def found(self, verdict: Verdict, detail: str) -> CheckResult:
        """A result of this check."""
        return CheckResult(self.name, verdict, detail)
