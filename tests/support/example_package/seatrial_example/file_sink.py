"""Incidents as lines of a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

from seatrial.incidents.event import IncidentEvent, Json
from seatrial.incidents.sink import Hears, Sink
from seatrial.incidents.variables import SinkSettings


class FileSettings(SinkSettings):
    """Which file."""

    prefix: ClassVar[str] = "SEATRIAL_FILE"

    path: str


class FileSink(Sink):
    """A line of JSON an event."""

    name: ClassVar[str] = "file"
    hears: ClassVar[frozenset[Hears]] = frozenset({Hears.INCIDENTS})
    settings: ClassVar[type[SinkSettings]] = FileSettings

    def __init__(self, settings: FileSettings) -> None:
        self._path = Path(settings.path)

    @classmethod
    def render(cls, event: IncidentEvent) -> Json:
        return {"summary": event.summary}

    def send(self, event: IncidentEvent, message_id: str) -> str:
        with self._path.open("a") as lines:
            lines.write(json.dumps(self.render(event)) + "\n")
        return ""
