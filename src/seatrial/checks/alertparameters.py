"""What the checks of alerts have in common: whom to ask, and for which alerts."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, Field, model_validator

from seatrial.checks.alerting import Looks, Wanted, answered
from seatrial.checks.protocol import DeclaredCheck, History, Need, When
from seatrial.model.alerts import AlertsSeen
from seatrial.model.looks import Look
from seatrial.model.strict import about, at_least_one

Source = Literal["prometheus", "alertmanager", "pagerduty"]
Series = dict[str, tuple[Look[AlertsSeen], ...]]

_ROLES: dict[Source, str] = {
    "prometheus": "alerts",
    "alertmanager": "alerts.alertmanager",
    "pagerduty": "alerts.pagerduty",
}


def need_of(source: Source, role: str) -> Need[Series]:
    """The looks at a source, all through a run. role: whom to ask; empty: as it is called mostly."""
    return Need("alerts", role or _ROLES[source], When.DURING)


class AlertCheck(DeclaredCheck):
    """The base of both."""

    model_config = ConfigDict(json_schema_extra=at_least_one("name", "labels"))

    longest_blind_s: ClassVar[float] = 3.0  # without an answered look: a shorter silence was looked at

    source: Source = "prometheus"
    """Who is asked: prometheus whether the rule fires, alertmanager whether it was told, pagerduty whether a
    person was called."""
    alert: str | None = Field(default=None, alias="name", examples=["DatabaseMemberDown"])
    """The name of the alert: its rule's, or the incident's title in PagerDuty."""
    labels: dict[str, str] = Field(default_factory=dict, examples=[{"severity": "page"}])
    """Labels that it must have, each with this value."""
    role: str = Field(default="", examples=["alerts"])
    """The role of whom is asked; left out, `alerts`, `alerts.alertmanager` or `alerts.pagerduty`."""

    @model_validator(mode="after")
    def _something(self) -> AlertCheck:
        if self.alert is None and not self.labels:
            raise ValueError("which alert is not said; write a name, or labels: {severity: page}")
        if "alertname" in self.labels:
            raise about("labels", f"an alert's name is no label here; write name: {self.labels['alertname']}")
        return self

    @property
    def wanted(self) -> Wanted:
        """The alerts that are meant."""
        return Wanted(self.alert, self.labels)

    @property
    def need(self) -> Need[Series]:
        """The looks at the source, all through the run."""
        return need_of(self.source, self.role)

    def needs(self) -> tuple[Need[Any], ...]:
        return (self.need,)

    def looks(self, history: History) -> tuple[Looks, str]:
        """The looks, or why there are none that were answered."""
        return looks_at(self.need, history)


def looks_at(need: Need[Series], history: History) -> tuple[Looks, str]:
    """The looks that a need asks for, or why there are none that were answered."""
    told = history.told(need)
    looks = next(iter(told.data.values()), ()) if told.data else ()
    if answered(looks):
        return looks, ""
    last = next((look.error for look in reversed(looks)), "")
    return (), told.error or last or f"nobody was asked through the role '{need.role}'"
