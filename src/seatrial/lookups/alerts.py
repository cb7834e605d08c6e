"""Which alerts fire while a run goes on: asked twice a second of whoever a role is bound to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from seatrial.drivers.alerting import ALERTING
from seatrial.lookups.recorder import Looker, Series, Watcher
from seatrial.model.alerts import AlertsSeen
from seatrial.model.looks import Look
from seatrial.model.problems import BadInput
from seatrial.model.role import Role

RECORDER = "alerts"


class Alerts(Watcher[AlertsSeen]):
    """The alerts of Prometheus, an Alertmanager or PagerDuty, look by look."""

    name: ClassVar[str] = RECORDER
    drivers: ClassVar[tuple[str, ...]] = ()  # that can be asked: ALERTING knows them
    every_s: ClassVar[float] = 0.5

    def fit(self, role: Role) -> None:
        if ALERTING.as_written(role) is None:
            raise BadInput(self.elsewhere(role, ALERTING.drivers()))

    def lookers(self, role: Role) -> Mapping[str, Looker[AlertsSeen]]:
        self.fit(role)
        return {role.name: ALERTING.of(role).alerting(role)}

    def evidence(self, data: Series[AlertsSeen]) -> str:
        return json.dumps({name: [_written(look) for look in looks] for name, looks in data.items()})


def _written(look: Look[AlertsSeen]) -> dict[str, Any]:
    """A look as it is kept; of the rules only those that were not evaluated."""
    told: dict[str, Any] = {"asked_s": round(look.asked_s, 6), "answered_s": round(look.answered_s, 6)}
    if look.seen is None:
        return {**told, "error": look.error}
    firing = [
        {"name": each.name, "labels": dict(each.labels), "since_epoch_s": each.since_epoch_s}
        for each in look.seen.firing
    ]
    rules = look.seen.rules
    not_evaluated = {name: why for name, why in (rules or {}).items() if why}
    return {
        **told,
        "firing": firing,
        "rules": None if rules is None else len(rules),
        **({"not_evaluated": not_evaluated} if not_evaluated else {}),
        "clock_epoch_s": look.seen.clock_epoch_s,
    }
