"""A probe, bound to whom it asks. Asking never raises: whatever goes wrong is the answer.

An answer that tells of our own machine, which had no descriptor or no address for a name, is no evidence
against the target: it is told in the words of `model.ownfailure`, and nothing is aborted or fails for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from seatrial.drivers import reach
from seatrial.drivers.pkcs11 import Pkcs11Binding
from seatrial.model.ownfailure import NO_ADDRESS, OWN, behind
from seatrial.model.probe import ProbeSpec
from seatrial.model.problems import BadInput, Problem, SeatrialError, Unresolved, translating
from seatrial.model.role import Role
from seatrial.model.target import hosts_in


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
                reach.require_allowed(role.allow_list, host, role.name)
        except BadInput as error:
            raise BadInput([Problem(each.message, path=("http",)) for each in error.problems]) from error


def ask(question: Question) -> str:
    """What is wrong; empty when the answer is good. Takes at most a little more than the probe's `within`.

    It `is_ours` when nothing is known of the target, because we could not ask.
    """
    # each kind is a file of this room, loaded when it is needed: their libraries are large
    asker: Callable[[ProbeSpec, Role], str] = import_module(f"seatrial.probes.{question.probe.kind}").ask
    try:
        with translating(question.role.name):
            return asker(question.probe, question.role)
    except SeatrialError as error:
        ours = NO_ADDRESS if isinstance(error, Unresolved) else behind(error)
        return f"{OWN}{ours}: {question.probe}: {error}" if ours else f"{question.probe}: {error}"
