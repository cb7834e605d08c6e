"""What a receiver of incidents is: what it hears, what it is told by the environment, and how it is told.

To add one is one file in `incidents/sinks/` (or in a package of your own, see `discovery`) and its test:

    class ChatSettings(SinkSettings):
        prefix: ClassVar[str] = "SEATRIAL_CHAT"
        url: Address                                # SEATRIAL_CHAT_URL; while it is not set, the sink is off

    class ChatSink(Sink):
        '''A line in the chat of the operators.'''

        name: ClassVar[str] = "chat"
        hears: ClassVar[frozenset[Hears]] = frozenset({Hears.INCIDENTS, Hears.CHANGES})
        settings: ClassVar[type[SinkSettings]] = ChatSettings

        def __init__(self, settings: ChatSettings) -> None:
            self._url = settings.url

        @classmethod
        def render(cls, event: IncidentEvent) -> Json:
            return {"text": event.summary}

        def send(self, event: IncidentEvent, message_id: str) -> str:
            with httpx.Client(timeout=15.0) as client:
                post(client, self._url, json.dumps(self.render(event)).encode(), {}, utc_now())
            return ""

`Address` is of `incidents.variables` (`TokenAddress` where its path is as good as a password, `SecretText`
for a key), `post` of `incidents.posting`, which knows what any answer means. A whole one is
`tests/support/example_package/seatrial_example/file_sink.py`.

What is kept for it, in which order it is told and when again is the outbox's affair: `send` tries once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar, Protocol, runtime_checkable

from seatrial.discovery import Registry
from seatrial.incidents.event import IncidentEvent, Json
from seatrial.incidents.variables import SinkSettings


class Hears(StrEnum):
    """What a sink can be told of."""

    INCIDENTS = "incidents"  # every failure of an experiment or a schedule, and that it is over
    ESCALATIONS = "escalations"  # a failure from where it is told louder on, and that it is over
    NOTES = "notes"  # that something which is open goes on failing
    CHANGES = "changes"  # what was done on purpose: begin, an action, end
    PERIODS = "periods"  # from when until when a run and each of its steps lasted, told at its end


class Sink(ABC):
    """A receiver."""

    name: ClassVar[str]  # as messages in the outbox call it
    hears: ClassVar[frozenset[Hears]]
    settings: ClassVar[type[SinkSettings]]
    kept: ClassVar[bool] = False  # whether messages are kept for it while it is off

    def __init__(self, settings: Any) -> None:  # noqa: B027  # one without a connection needs none
        """`settings`: a record of the sink's own `settings`."""

    @classmethod
    @abstractmethod
    def render(cls, event: IncidentEvent) -> Json:
        """What would be sent, without any secret."""

    @abstractmethod
    def send(self, event: IncidentEvent, message_id: str) -> str:
        """Tell it; a remark for the record, mostly empty. Raises TryLater or Refused."""

    def close(self) -> None:  # noqa: B027  # the same
        """Close its connections, if it keeps any."""


SINKS: Registry[Sink] = Registry("sink", "seatrial.incidents.sinks", Sink)


@runtime_checkable
class Acknowledging(Protocol):
    """A sink that knows whether somebody has taken an incident; neglect is then not mistaken for it."""

    def acknowledged(self, dedup_key: str) -> bool | None:
        """Whether somebody took the open incident; None when there is none. Raises TryLater or Refused."""


class DeliveryError(Exception):
    """A message was not delivered."""


class TryLater(DeliveryError):  # noqa: N818  # what to do, not what went wrong
    """It did not work now and may work later.

    `after_s`: how long the receiver asked to be left alone, in seconds. `whole_sink`: it meant everything
    that goes there (a rate limit), not this message alone.
    """

    def __init__(self, reason: str, after_s: float | None = None, *, whole_sink: bool = False) -> None:
        super().__init__(reason)
        self.after_s = after_s
        self.whole_sink = whole_sink


class Refused(DeliveryError):  # noqa: N818  # the other of the two
    """It can never work as it is: a wrong key, an invalid event."""


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)
