"""A probe, bound to whom it asks. Asking never raises: whatever goes wrong is the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from seatrial.faults.protocol import Role
from seatrial.model.probe import ProbeSpec
from seatrial.model.problems import SeatrialError, translating
from seatrial.probes import http, pkcs11, promql, redis, sql

_ASKERS: dict[str, Callable[[ProbeSpec, Role], str]] = {
    "http": http.ask,
    "sql": sql.ask,
    "redis": redis.ask,
    "promql": promql.ask,
    "pkcs11": pkcs11.ask,
}


@dataclass(frozen=True, slots=True)
class Question:
    """A probe and the role it asks. For `http` without a role, `role` stands for the target itself."""

    probe: ProbeSpec
    role: Role


def ask(question: Question) -> str:
    """What is wrong; empty when the answer is good. Takes at most a little more than the probe's `within`."""
    try:
        with translating(question.role.name):
            return _ASKERS[question.probe.kind](question.probe, question.role)
    except SeatrialError as error:
        return f"{question.probe}: {error}"
