"""Nobody was called for nothing: no such alert began to fire.

    alert-silent: {labels: {severity: page}}

For what must not wake anybody: a rollback, a planned hand-over, a distance that the service is made for. A
silence counts only when it was listened to: while the source did not answer, or did not evaluate the rule,
nobody knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from seatrial.checks.alerting import Looks, firings, impossible, not_evaluated, rules_of, untold, written
from seatrial.checks.alertparameters import AlertCheck
from seatrial.checks.protocol import History
from seatrial.model.figures import bounds, seconds
from seatrial.model.looks import blind
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
        begun = [
            each for each in found if begin_s <= each.began.lower_s and each.began.upper_s <= history.end_s
        ]
        if begun:
            first = begun[0]
            named = " ".join(filter(None, (first.alert.name, written(first.alert.labels))))
            return self.found(Verdict.FAIL, f"{named} fired at {bounds(first.began).bracketed}")
        if doubt := next(self._doubts(history, looks, begin_s), ""):
            return self.found(Verdict.UNKNOWN, doubt)
        until = seconds(history.end_s - begin_s)
        return self.found(Verdict.PASS, f"{self.wanted} was silent for all {until}")

    def _begin_s(self, history: History) -> float | None:
        if self.after is None:
            return 0.0
        return next((step.before_s for step in history.steps if step.name == self.after), None)

    def _doubts(self, history: History, looks: Looks, begin_s: float) -> Iterator[str]:
        """Why a silence proves nothing; none when it does."""
        for firing in firings(looks, self.wanted, history.zero_wall_s):
            if firing.began.lower_s < begin_s <= firing.last_s:
                yield f"{firing.alert.name} fired before that already"
            if firing.began.lower_s < history.end_s < firing.began.upper_s:
                yield f"whether {firing.alert.name} began to fire before the end or after it cannot be told"
        rules = rules_of(looks)
        if rules is not None and not rules:
            yield "the source has no alert rules: it is always silent"
        if missing := impossible(looks, self.wanted):
            yield f"{missing}: it is always silent"
        yield from not_evaluated(looks, self.wanted)
        yield from map(untold, blind(looks, begin_s, history.end_s, self.longest_blind_s))
        if history.cut:
            yield f"the run was cut short: {history.cut}"
