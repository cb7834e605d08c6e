"""Where incidents go, read from the environment. Keys come from there or from a file, and from nowhere else.

| variable                           | what                                                               |
|------------------------------------|--------------------------------------------------------------------|
| SEATRIAL_PAGERDUTY_KEY             | routing key (Events API v2); without it PagerDuty is off            |
| SEATRIAL_PAGERDUTY_ESCALATION_KEY  | the second routing key, for escalations                            |
| SEATRIAL_PAGERDUTY_TOKEN           | REST token, for notes and acknowledgements                         |
| SEATRIAL_PAGERDUTY_FROM            | e-mail address of a PagerDuty user, which account tokens need       |
| SEATRIAL_PAGERDUTY_EVENTS_URL, SEATRIAL_PAGERDUTY_API_URL | another service region                      |
| SEATRIAL_WEBHOOK_URL, SEATRIAL_WEBHOOK_SECRET             | the generic webhook                         |
| SEATRIAL_ALERTMANAGER_URL          | Alertmanager                                                       |
| SEATRIAL_REPORT_URL                | where reports are served; a run's is at URL/runs/RUN               |

Each secret may also be given as NAME_FILE, the path of a file that holds it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from seatrial.incidents.alertmanager import AlertmanagerSink
from seatrial.incidents.event import PAGERDUTY, PAGERDUTY_ESCALATION
from seatrial.incidents.pagerduty import EVENTS_URL, REST_URL, ROUTING_KEY_LENGTH, EventsSink, NotesSink
from seatrial.incidents.policy import Routes
from seatrial.incidents.sink import Secret, Sink
from seatrial.incidents.webhook import WebhookSink
from seatrial.model import secrets
from seatrial.model.problems import BadInput, Problem
from seatrial.model.redaction import cannot_be_mistaken

_KEY = "SEATRIAL_PAGERDUTY_KEY"
_ESCALATION_KEY = "SEATRIAL_PAGERDUTY_ESCALATION_KEY"
_TOKEN = "SEATRIAL_PAGERDUTY_TOKEN"  # noqa: S105  # the variable's name
_FROM = "SEATRIAL_PAGERDUTY_FROM"
_EVENTS_URL = "SEATRIAL_PAGERDUTY_EVENTS_URL"
_API_URL = "SEATRIAL_PAGERDUTY_API_URL"
_WEBHOOK_URL = "SEATRIAL_WEBHOOK_URL"
_WEBHOOK_SECRET = "SEATRIAL_WEBHOOK_SECRET"  # noqa: S105  # the variable's name
_ALERTMANAGER_URL = "SEATRIAL_ALERTMANAGER_URL"
_REPORT_URL = "SEATRIAL_REPORT_URL"


@dataclass(frozen=True, slots=True)
class Settings:
    """Receivers and their secrets."""

    pagerduty_key: Secret | None = None
    escalation_key: Secret | None = None
    token: Secret | None = None
    sender: str | None = None
    events_url: str = EVENTS_URL
    api_url: str = REST_URL
    webhook_url: str = ""
    webhook_secret: Secret | None = None
    alertmanager_url: str = ""
    report_url: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Raises BadInput with everything that is wrong with them; no secret is part of a message."""
        reader = _Reader(environment)
        settings = cls(
            pagerduty_key=reader.routing_key(_KEY),
            escalation_key=reader.routing_key(_ESCALATION_KEY),
            token=reader.secret(_TOKEN),
            sender=environment.get(_FROM) or None,
            events_url=reader.url(_EVENTS_URL) or EVENTS_URL,
            api_url=reader.url(_API_URL) or REST_URL,
            webhook_url=reader.url(_WEBHOOK_URL),
            webhook_secret=reader.secret(_WEBHOOK_SECRET),
            alertmanager_url=reader.url(_ALERTMANAGER_URL),
            report_url=reader.url(_REPORT_URL),
        )
        if settings.webhook_url and settings.webhook_secret is None:
            reader.complain(f"{_WEBHOOK_URL} is set, so {_WEBHOOK_SECRET} must be: requests are signed")
        if reader.problems:
            raise BadInput(reader.problems)
        path = settings.webhook_url.partition("://")[2].partition("/")[2]
        if cannot_be_mistaken(path):  # many receivers know a sender by it alone
            secrets.remember(path, f"${{{_WEBHOOK_URL}}}")
        return settings

    def routes(self) -> Routes:
        """The sinks that policy writes messages for."""
        return Routes(
            webhook=bool(self.webhook_url),
            alertmanager=bool(self.alertmanager_url),
            notes=self.token is not None,
        )

    def report_of(self, run: str) -> str:
        """The address of a run's report, or nothing when reports are not served."""
        return f"{self.report_url.rstrip('/')}/runs/{run}" if self.report_url else ""

    @contextmanager
    def sinks(self) -> Iterator[dict[str, Sink]]:
        """The receivers that are on, by name; closed at the end of the context."""
        sinks: list[Sink] = []
        if self.pagerduty_key is not None:
            sinks.append(EventsSink(PAGERDUTY, self.pagerduty_key, self.events_url))
        if self.escalation_key is not None:
            sinks.append(EventsSink(PAGERDUTY_ESCALATION, self.escalation_key, self.events_url))
        if self.token is not None:
            sinks.append(NotesSink(self.token, self.sender, self.api_url))
        if self.webhook_url and self.webhook_secret is not None:
            sinks.append(WebhookSink(self.webhook_url, self.webhook_secret))
        if self.alertmanager_url:
            sinks.append(AlertmanagerSink(self.alertmanager_url))
        try:
            yield {sink.name: sink for sink in sinks}
        finally:
            for sink in sinks:
                sink.close()

    def off(self) -> dict[str, str]:
        """Receivers that messages are kept for although they are off, and what would switch them on."""
        wanted = {
            PAGERDUTY: (self.pagerduty_key, _KEY),
            PAGERDUTY_ESCALATION: (self.escalation_key, _ESCALATION_KEY),
        }
        return {
            sink: f"{variable} is not set; set it, or {variable}_FILE"
            for sink, (key, variable) in wanted.items()
            if key is None
        }


class _Reader:
    """Reads variables and collects what is wrong with them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[Problem] = []

    def complain(self, message: str) -> None:
        self.problems.append(Problem(message))

    def secret(self, name: str) -> Secret | None:
        value = self._environment.get(name, "").strip()
        file = self._environment.get(f"{name}_FILE", "")
        if not value and file:
            try:
                value = Path(file).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                self.complain(f"{name}_FILE: cannot read {file}: {error}")
        if value:
            secrets.remember(value, f"${{{name}}}")
        return Secret(value) if value else None

    def routing_key(self, name: str) -> Secret | None:
        secret = self.secret(name)
        if secret is not None and len(secret.reveal()) != ROUTING_KEY_LENGTH:
            self.complain(
                f"{name}: a routing key has exactly {ROUTING_KEY_LENGTH} characters, this one has "
                f"{len(secret.reveal())}; copy the Integration Key of an Events API v2 integration"
            )
        return secret

    def url(self, name: str) -> str:
        value = self._environment.get(name, "").strip()
        if value and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname):
            self.complain(f"{name} is not an http:// or https:// address")
        return value
