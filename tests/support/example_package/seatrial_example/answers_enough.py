"""At least so many requests were answered."""

from __future__ import annotations

from typing import ClassVar

from seatrial.checks.protocol import DeclaredCheck, History
from seatrial.model.result import CheckResult
from seatrial.model.verdict import Verdict


class AnswersEnough(DeclaredCheck):
    """At least `least` requests were good."""

    name: ClassVar[str] = "answers-enough"

    least: int = 1

    def judge(self, history: History) -> CheckResult:
        good = int(history.log.ok.sum())
        return self.found(Verdict.PASS if good >= self.least else Verdict.FAIL, f"{good} requests were good")
