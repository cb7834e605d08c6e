"""A probe, bound to whom it asks. Asking never raises: whatever goes wrong is the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from seatrial.drivers.pkcs11 import Pkcs11Binding
from seatrial.faults.protocol import Role
from seatrial.model.probe import ProbeSpec
from seatrial.model.problems import BadInput, Problem, SeatrialError
from seatrial.model.target import hosts_in
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


def fit(probe: ProbeSpec, role: Role) -> None:
    """Raise BadInput unless `role` is bound so that `probe` can be asked of it. Paths are in the probe."""
    if probe.kind == "pkcs11":
        if role.driver != Pkcs11Binding.driver:
            raise BadInput(f"a probe by pkcs11 asks an HSM; the role '{role.name}' is bound to {role.driver}")
    elif not role.parameters.get("url"):
        raise BadInput(f"a probe by {probe.kind} asks an address; the role '{role.name}' has no url")
    elif probe.http is not None:
        try:
            for host in hosts_in(probe.http):
                role.require_allowed(host)
        except BadInput as error:
            raise BadInput([Problem(each.message, path=("http",)) for each in error.problems]) from error


def ask(question: Question) -> str:
    """What is wrong; empty when the answer is good. Takes at most a little more than the probe's `within`."""
    try:
        return _ASKERS[question.probe.kind](question.probe, question.role)
    except SeatrialError as error:
        return f"{question.probe}: {error}"
