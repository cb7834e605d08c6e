"""Has a check's need met, by the recorder that it names. Whatever goes wrong is why nothing is noted."""

from __future__ import annotations

from typing import Any

from seatrial.checks.protocol import Need, Recorded
from seatrial.discovery import Registry
from seatrial.lookups.recorder import Recorder, RunFacts
from seatrial.model.problems import SeatrialError, translating
from seatrial.model.role import Role

RECORDERS: Registry[Recorder[Any]] = Registry("recorder", "seatrial.lookups", Recorder)


def recorder_of(need: Need[Any]) -> Recorder[Any]:
    """Who meets a need. Raises BadInput when there is no such recorder."""
    return RECORDERS.find(need.recorder)()


def recorded(recorder: Recorder[Any], role: Role, run: RunFacts) -> Recorded[Any]:
    """What is noted down of a role; whatever a target answers is at worst nothing, with its reason."""
    try:
        with translating(role.name):
            data = recorder.record(role, run)
    except SeatrialError as error:
        return Recorded(None, str(error))
    return Recorded(data, directory=run.directory if run.directory.is_dir() else None)
