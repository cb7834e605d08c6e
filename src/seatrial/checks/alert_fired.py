"""Somebody would have noticed: an alert began to fire, soon enough after a fault.

    alert-fired: {name: DatabaseMemberDown, after: crash, within: 30s}

A fault that no alert tells of is found by customers. What fired before the fault already proves nothing, and
neither does a silence that nobody looked at: then the verdict is unknown. Time to detect counts from the
fault's effect by the journal, and is shown beside the time to recover.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from pydantic import Field

from seatrial.checks.alerting import Firing, Looks, firings, impossible, untold
from seatrial.checks.alertparameters import AlertCheck
from seatrial.checks.protocol import History
from seatrial.model.figures import bounds, seconds
from seatrial.model.looks import blind
from seatrial.model.noticing import Noticed
from seatrial.model.quantities import Duration
from seatrial.model.result import Bounds, CheckResult, StepRecord
from seatrial.model.verdict import Verdict, judge_bounds


class AlertFired(AlertCheck):
    """An alert began to fire after a step, and in time."""

    name: ClassVar[str] = "alert-fired"

    after: str | None = Field(default=None, examples=["crash"])
    """The step that it must tell of; left out, the first fault, or the first step where there is none."""
    within: Duration = Duration(60.0)
    """How long after the step's effect it must have begun."""

    def judge(self, history: History) -> CheckResult:
        step = self._step(history.steps)
        if step is None or step.before_s is None or step.injected_s is None:
            return self.found(Verdict.UNKNOWN, f"{self.after or 'no step'}: did not happen")
        looks, why = self.looks(history)
        if why:
            return self._noticed(step, None, self.found(Verdict.UNKNOWN, why))
        found = firings(looks, self.wanted, history.zero_wall_s)
        before_s, injected_s = step.before_s, step.injected_s
        if sentence := next(self._proving_nothing(found, step.name, before_s), ""):
            return self._noticed(step, None, self.found(Verdict.UNKNOWN, sentence))
        begun = [firing.began for firing in found if firing.began.lower_s >= before_s]
        if not begun:
            return self._noticed(step, None, self._silent(history, looks, step.name, injected_s))
        first = min(begun, key=lambda began: began.upper_s)
        detect = Bounds(max(0.0, first.lower_s - injected_s), first.upper_s - before_s)
        verdict = judge_bounds(detect.lower_s, detect.upper_s, self.within.seconds)
        sentence = f"{self.wanted} fired {bounds(detect).bracketed} after {step.name}, {self.within} allowed"
        figures = {"detect_lower_s": detect.lower_s, "detect_upper_s": detect.upper_s}
        return self._noticed(step, detect, self.found(verdict, sentence, **figures))

    def _step(self, steps: tuple[StepRecord, ...]) -> StepRecord | None:
        if self.after is not None:
            return next((step for step in steps if step.name == self.after), None)
        return next((step for step in steps if step.kind == "fault"), next(iter(steps), None))

    def _proving_nothing(self, found: list[Firing], step: str, before_s: float) -> Iterator[str]:
        for firing in found:
            if firing.began.upper_s <= before_s <= firing.last_s:
                since = f"{seconds(before_s - firing.began.upper_s)} before {step} already"
                yield f"{self.wanted} fired {since}, and so proves nothing"
            elif firing.began.lower_s < before_s < firing.began.upper_s:
                yield f"whether {self.wanted} began to fire before {step} or after it cannot be told"

    def _silent(self, history: History, looks: Looks, step: str, injected_s: float) -> CheckResult:
        """It did not fire, as far as anybody saw."""
        until_s = injected_s + self.within.seconds
        if missing := impossible(looks, self.wanted):
            return self.found(Verdict.FAIL, f"nobody would have noticed {step}: {missing}")
        for gap in blind(looks, injected_s, until_s, self.longest_blind_s):
            told = f"{self.wanted} was not seen to fire, but "
            if gap.end_s >= until_s and not gap.why:
                watched = seconds(max(0.0, gap.begin_s - injected_s))
                told += f"only {watched} after {step} were watched, of {self.within}: run longer, or ask less"
            else:
                told += untold(gap)
            return self.found(Verdict.UNKNOWN, told)
        sentence = f"nobody would have noticed {step}: {self.wanted} did not fire within {self.within}"
        if history.cut and history.end_s < until_s:
            return self.of_the_end(history, sentence)
        return self.found(Verdict.FAIL, sentence)

    def _noticed(self, step: StepRecord, detect: Bounds | None, result: CheckResult) -> CheckResult:
        return replace(
            result, noticed=Noticed(step.name, str(self.wanted), self.source, detect, self.within.seconds)
        )
