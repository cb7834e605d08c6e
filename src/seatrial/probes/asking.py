"""A probe, bound to whom it asks. Asking never raises: whatever goes wrong is the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from seatrial.faults.protocol import Role
from seatrial.model.probe import ProbeSpec
from seatrial.model.problems import SeatrialError, translating


@dataclass(frozen=True, slots=True)
class Question:
    """A probe and the role it asks. For `http` without a role, `role` stands for the target itself."""

    probe: ProbeSpec
    role: Role


def ask(question: Question) -> str:
    """What is wrong; empty when the answer is good. Takes at most a little more than the probe's `within`."""
    # each kind is a file of this room, loaded when it is needed: their libraries are large
    asker: Callable[[ProbeSpec, Role], str] = import_module(f"seatrial.probes.{question.probe.kind}").ask
    try:
        with translating(question.role.name):
            return asker(question.probe, question.role)
    except SeatrialError as error:
        return f"{question.probe}: {error}"
