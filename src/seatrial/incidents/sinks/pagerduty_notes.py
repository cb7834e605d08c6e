"""PagerDuty's REST API: notes on an incident that somebody has acknowledged and that goes on failing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

from pydantic import Field

from seatrial.incidents.event import IncidentEvent, Json
from seatrial.incidents.pagerduty import REST_URL, TIMEOUT_S, Rest, attempt, dedup_key, note, send_once
from seatrial.incidents.sink import Hears, Sink, utc_now
from seatrial.incidents.variables import Address, SecretText, SinkSettings


class NotesSettings(SinkSettings):
    """A REST token, the user that an account's token needs, and which service region."""

    prefix: ClassVar[str] = "SEATRIAL_PAGERDUTY"

    token: SecretText = Field(examples=["u+0123456789abcdefghij"])
    """A token of the REST API; or, with _FILE behind the variable's name, the file that holds it."""
    from_: str | None = Field(default=None, examples=["sre@shop.example"])
    """The e-mail address of the user that notes are made in the name of, which an account's token needs."""
    api_url: Address = REST_URL
    """The REST API of the service region that the account is in."""


class PagerdutyNotesSink(Sink):
    """Knows, besides, whether an incident is acknowledged."""

    name: ClassVar[str] = "pagerduty-notes"
    hears: ClassVar[frozenset[Hears]] = frozenset({Hears.NOTES})
    settings: ClassVar[type[SinkSettings]] = NotesSettings

    def __init__(
        self, settings: NotesSettings, timeout_s: float = TIMEOUT_S, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._token = settings.token
        self._now = now
        self._client = Rest(settings.token.reveal(), default_from=settings.from_, base_url=settings.api_url)
        send_once(self._client, timeout_s)

    @classmethod
    def render(cls, event: IncidentEvent) -> Json:
        """The note."""
        return {"note": {"content": note(event)}}

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def send(self, event: IncidentEvent, message_id: str) -> str:  # noqa: ARG002  # notes have no identity
        """Write the note if the incident is acknowledged; otherwise it still rings, and needs none."""
        found = self._incident(event.dedup_key)
        if found is None or found["status"] != "acknowledged":
            return "not acknowledged, so no note was needed"
        path = f"/incidents/{found['id']}/notes"
        return attempt(self._token, self._now, lambda: self._client.post(path, json=self.render(event)))

    def acknowledged(self, dedup_key: str) -> bool | None:
        """Whether somebody took the open incident; None when there is none. Raises TryLater or Refused."""
        found = self._incident(dedup_key)
        return None if found is None else found["status"] == "acknowledged"

    def _incident(self, key: str) -> dict[str, Any] | None:
        query = {"incident_key": dedup_key(key), "statuses[]": ["triggered", "acknowledged"]}
        answers: list[Any] = []

        def ask() -> Any:
            answer = self._client.get("/incidents", params=query)
            answers.append(answer)
            return answer

        attempt(self._token, self._now, ask)
        found: list[dict[str, Any]] = answers[0].json()["incidents"]
        return found[0] if found else None
