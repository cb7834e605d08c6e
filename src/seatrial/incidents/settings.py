"""Where incidents go, read from the environment; each sink says itself which variables are its own.

| variable                           | what                                                               |
|------------------------------------|--------------------------------------------------------------------|
| SEATRIAL_PAGERDUTY_KEY             | routing key (Events API v2); without it PagerDuty is off            |
| SEATRIAL_PAGERDUTY_ESCALATION_KEY  | the second routing key, for escalations                            |
| SEATRIAL_PAGERDUTY_TOKEN           | REST token, for notes and acknowledgements                         |
| SEATRIAL_PAGERDUTY_FROM            | e-mail address of a PagerDuty user, which account tokens need       |
| SEATRIAL_PAGERDUTY_EVENTS_URL, SEATRIAL_PAGERDUTY_API_URL | another service region                      |
| SEATRIAL_WEBHOOK_URL, SEATRIAL_WEBHOOK_SECRET             | the generic webhook                         |
| SEATRIAL_ALERTMANAGER_URL          | Alertmanager                                                       |
| SEATRIAL_GRAFANA_URL, SEATRIAL_GRAFANA_TOKEN | annotations of runs and steps on its charts       |
| SEATRIAL_REPORT_URL                | where reports are served; a run's is at URL/runs/RUN               |

Each secret may also be given as NAME_FILE, the path of a file that holds it.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self

from seatrial.incidents.policy import Routes
from seatrial.incidents.sink import SINKS, Hears, Sink
from seatrial.incidents.variables import Address, SinkSettings
from seatrial.model.problems import Problems

_log = logging.getLogger(__name__)


class _Reports(SinkSettings):
    """Where people read them; nobody is told anything there."""

    prefix = "SEATRIAL_REPORT"

    url: Address


@dataclass(frozen=True, slots=True)
class IncidentSettings:
    """The settings of the sinks that are on, by name, and where reports are served."""

    on: Mapping[str, SinkSettings] = field(default_factory=dict)
    report_url: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Raises BadInput with everything that is wrong with them; no secret is part of a message."""
        problems = Problems()
        on: dict[str, SinkSettings] = {}
        reports: _Reports | None = None
        for name, found in SINKS.all().items():
            with problems.collected():
                if (settings := found.declared.settings.from_environment(environment)) is not None:
                    on[name] = settings
        with problems.collected():
            reports = _Reports.from_environment(environment)
        problems.tell()
        return cls(on, reports.url if reports else "")

    def routes(self) -> Routes:
        """The sinks that policy writes messages for: those that are on, and those whose messages are kept."""
        told = [
            found.declared
            for name, found in sorted(SINKS.all().items())
            if found.declared.kept or name in self.on
        ]
        hearing = {what: tuple(sink.name for sink in told if what in sink.hears) for what in Hears}
        return Routes(
            incidents=hearing[Hears.INCIDENTS],
            escalations=hearing[Hears.ESCALATIONS],
            notes=hearing[Hears.NOTES],
            changes=hearing[Hears.CHANGES],
            periods=hearing[Hears.PERIODS],
        )

    def report_of(self, run: str) -> str:
        """The address of a run's report, or nothing when reports are not served."""
        return f"{self.report_url.rstrip('/')}/runs/{run}" if self.report_url else ""

    @contextlib.contextmanager
    def sinks(self) -> Iterator[dict[str, Sink]]:
        """The receivers that are on, by name; closed at the end of the context."""
        with contextlib.ExitStack() as open_sinks:
            sinks: dict[str, Sink] = {}
            for name, settings in self.on.items():
                try:
                    sinks[name] = SINKS.find(name)(settings)
                except Exception as error:  # somebody's own: the others are told all the same
                    said = f"{type(error).__name__}: {error}"
                    _log.error("the sink %s cannot be used, and its messages wait: %s", name, said)
                else:
                    open_sinks.enter_context(contextlib.closing(sinks[name]))
            yield sinks

    def off(self) -> dict[str, str]:
        """Receivers that messages are kept for although they are off, and what would switch them on."""
        return {
            name: found.declared.settings.way_on()
            for name, found in SINKS.all().items()
            if found.declared.kept and name not in self.on
        }
