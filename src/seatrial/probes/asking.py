"""A probe, bound to whom it asks. Asking never raises: whatever goes wrong is the answer.

An answer that tells of our own machine, which had no descriptor or no address for a name, is no evidence
against the target: it is told in the words of `model.ownfailure`, and nothing is aborted or fails for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from seatrial import discovery
from seatrial.model.ownfailure import NO_ADDRESS, OWN, behind
from seatrial.model.probe import ProbeSpec
from seatrial.model.problems import BadInput, SeatrialError, Unresolved, translating
from seatrial.model.role import Role
from seatrial.probes.protocol import PROBES, ProbeKind


@dataclass(frozen=True, slots=True)
class Question:
    """A probe and the role it asks. For `http` without a role, `role` stands for the target itself."""

    probe: ProbeSpec
    role: Role


def kind_of(probe: ProbeSpec) -> ProbeKind:
    """What the probe asks by. Raises BadInput; paths are in the probe."""
    try:
        return cast("ProbeKind", discovery.build(PROBES, probe.kind, probe.with_))
    except BadInput as error:
        named = () if probe.kind in ProbeSpec.KINDS else ("probe",)
        told = [problem.under(("with",) if problem.path else named) for problem in error.problems]
        raise BadInput(told) from error


def fit(probe: ProbeSpec, role: Role) -> None:
    """Raise BadInput unless `role` is bound so that `probe` can be asked of it. Paths are in the probe."""
    kind_of(probe).fit(probe, role)


def ask(question: Question) -> str:
    """What is wrong; empty when the answer is good. Takes at most a little more than the probe's `within`.

    It `is_ours` when nothing is known of the target, because we could not ask.
    """
    try:
        with translating(question.role.name):
            return kind_of(question.probe).ask(question.probe, question.role)
    except SeatrialError as error:
        ours = NO_ADDRESS if isinstance(error, Unresolved) else behind(error)
        return f"{OWN}{ours}: {question.probe}: {error}" if ours else f"{question.probe}: {error}"
