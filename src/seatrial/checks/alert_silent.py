"""Nobody was called for nothing: no such alert began to fire.

    alert-silent: {labels: {severity: page}}

For what must not wake anybody: a rollback, a planned hand-over, a distance that the service is made for. A
silence counts only when it was listened to: while the source did not answer, or did not evaluate the rule,
nobody knows.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from seatrial.checks.alerting import Looks, firings, not_evaluated, rules_of, untold, written
from seatrial.checks.alertparameters import AlertCheck
from seatrial.checks.protocol import History
from seatrial.model.figures import bounds, seconds
from seatrial.model.looks import blind
from seatrial.model.problems import nearest
from seatrial.model.result import CheckResult
from seatrial.model.verdict import Verdict


class AlertSilent(AlertCheck):
    """No such alert began to fire."""

    name: ClassVar[str] = "alert-silent"

    after: str | None = Field(default=None, examples=["rollback"])
    """The step from which on it must be silent; left out, all through the measured part."""

    def judge(self, history: History) -> CheckResult:
        begin_s = self._begin_s(history)
        if begin_s is None:
            return self.found(Verdict.UNKNOWN, f"{self.after}: did not happen")
        looks, why = self.looks(history)
        if why:
            return self.found(Verdict.UNKNOWN, why)
        found = firings(looks, self.wanted, history.zero_wall_s)
        begun = [each for each in found if begin_s <= each.began.lower_s < history.end_s]
        if begun:
            first = begun[0]
            named = " ".join(filter(None, (first.alert.name, written(first.alert.labels))))
            return self.found(Verdict.FAIL, f"{named} fired at {bounds(first.began).bracketed}")
        if unclear := self._unclear(history, looks, begin_s):
            return self.found(Verdict.UNKNOWN, unclear)
        until = seconds(history.end_s - begin_s)
        return self.found(Verdict.PASS, f"{self.wanted} was silent for all {until}")

    def _begin_s(self, history: History) -> float | None:
        if self.after is None:
            return 0.0
        return next((step.before_s for step in history.steps if step.name == self.after), None)

    def _unclear(self, history: History, looks: Looks, begin_s: float) -> str:
        """Why a silence proves nothing; empty when it does."""
        for firing in firings(looks, self.wanted, history.zero_wall_s):
            if firing.began.lower_s < begin_s <= firing.last_s:
                return f"{firing.alert.name} fired before that already"
        rules = rules_of(looks)
        if rules is not None and not rules:
            return "the source has no alert rules: it is always silent"
        if rules is not None and self.alert is not None and self.alert not in rules:
            return f"there is no rule called {self.alert}{nearest(self.alert, rules)}"
        if wrong := next(not_evaluated(looks, self.wanted), ""):
            return wrong
        for gap in blind(looks, begin_s, history.end_s, self.longest_blind_s):
            return untold(gap)
        return f"the run was cut short: {history.cut}" if history.cut else ""
