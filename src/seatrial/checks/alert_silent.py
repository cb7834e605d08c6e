"""Nobody was called for nothing: no such alert began to fire.

    alert-silent: {labels: {severity: page}}

For what must not wake anybody: a rollback, a planned hand-over, a distance that the service is made for. A
silence counts only when it was listened to: while the source did not answer, or did not evaluate the rule,
nobody knows.

Prometheus tells what it evaluates. An Alertmanager and PagerDuty are as silent when nobody feeds them, so
they need an alert that always fires, the dead man's switch of most set-ups:

    alert-silent: {source: alertmanager, labels: {severity: page}, heartbeat: {name: Watchdog}}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from seatrial.checks.alerting import (
    Looks,
    Wanted,
    firings,
    impossible,
    never_evaluated,
    not_evaluated,
    rules_of,
    unfed,
    untold,
    written,
)
from seatrial.checks.alertparameters import AlertCheck, Series, looks_at, need_of
from seatrial.checks.protocol import History, Need
from seatrial.model.figures import bounds, seconds
from seatrial.model.looks import blind
from seatrial.model.result import CheckResult
from seatrial.model.strict import Strict, about
from seatrial.model.verdict import Verdict


class Heartbeat(Strict):
    """An alert that fires always: where it does not, whoever is asked is fed by nobody.

    {name: Watchdog, source: alertmanager}
    """

    name: str = Field(examples=["Watchdog"])
    """Its name."""
    labels: dict[str, str] = Field(default_factory=dict, examples=[{"cluster": "shop"}])
    """Labels that it must have, each with this value."""
    source: Literal["prometheus", "alertmanager"] | None = Field(default=None, examples=["alertmanager"])
    """Who is asked for it; left out, whom the check asks. An incident of PagerDuty stays open when nobody
    feeds it any more, so for a check of that the Alertmanager before it is asked, and the way from there to
    PagerDuty is not shown by it."""
    role: str = Field(default="", examples=["alerts.alertmanager"])
    """The role of whom is asked; left out, that of the check, or `alerts` or `alerts.alertmanager`."""


class AlertSilent(AlertCheck):
    """No such alert began to fire."""

    name: ClassVar[str] = "alert-silent"

    after: str | None = Field(default=None, examples=["rollback"])
    """The step from which on it must be silent; left out, all through the measured part."""
    heartbeat: Heartbeat | None = Field(default=None, examples=[{"name": "Watchdog"}])
    """An alert that always fires. The silence counts only where it was active at every look. An Alertmanager
    keeps it for as long as its sender said, which for Prometheus is four times `--rules.alert.resend-delay`:
    4 minutes by default."""

    @model_validator(mode="after")
    def _a_heartbeat_that_beats(self) -> AlertSilent:
        if self.heartbeat is None:
            return self
        if self.heartbeat.source is None and self.source == "pagerduty":
            told = "an incident of PagerDuty stays open when nobody feeds it; write source: alertmanager"
            raise about("heartbeat", told)
        if self.alert == self.heartbeat.name:
            raise about("heartbeat", f"{self.alert} cannot both be silent and always fire")
        return self

    @property
    def heartbeat_need(self) -> Need[Series] | None:
        """The looks that tell of it; None: none is declared."""
        if self.heartbeat is None:
            return None
        source = self.heartbeat.source or self.source
        return need_of(source, self.heartbeat.role or (self.role if source == self.source else ""))

    def needs(self) -> tuple[Need[Any], ...]:
        return tuple(dict.fromkeys(filter(None, (self.need, self.heartbeat_need))))

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
        yield from never_evaluated(looks, self.wanted, begin_s, history.end_s)
        yield from map(untold, blind(looks, begin_s, history.end_s, self.longest_blind_s))
        if history.cut:
            yield f"the run was cut short: {history.cut}"
        yield from self._unfed(history, begin_s)

    def _unfed(self, history: History, begin_s: float) -> Iterator[str]:
        if self.heartbeat is None or self.heartbeat_need is None:
            return
        looks, why = looks_at(self.heartbeat_need, history)
        if why:
            yield f"whether {self.heartbeat.name} fires is not known: {why}"
        yield from unfed(looks, Wanted(self.heartbeat.name, self.heartbeat.labels), begin_s, history.end_s)
        yield from map(untold, blind(looks, begin_s, history.end_s, self.longest_blind_s))
