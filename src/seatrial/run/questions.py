"""Who is asked what during a run: the probes of its steady state and of its guards."""

from __future__ import annotations

from dataclasses import dataclass

from seatrial.model.probe import ProbeSpec
from seatrial.model.problems import Path
from seatrial.probes import Question
from seatrial.probes.asking import fit
from seatrial.run.binding import Binder
from seatrial.run.draft import Draft


@dataclass(frozen=True, slots=True)
class Questions:
    """All that is asked while a run goes on."""

    steady_state: tuple[Question, ...]
    guards: tuple[Question | None, ...]  # one for each guard that goes by a probe, else None


def bind_probes(draft: Draft, binder: Binder) -> Questions:
    """Look up whom every probe asks; what is wrong goes to the binder's problems."""
    steady_state = [_bound(probe, ("steady_state", index), binder) for index, probe in draft.steady_state]
    guards = [
        _bound(guard.probe, ("guards", index, "probe"), binder) if guard.probe else None
        for index, guard in draft.guards
    ]
    return Questions(tuple(filter(None, steady_state)), tuple(guards))


def _bound(probe: ProbeSpec, place: Path, binder: Binder) -> Question | None:
    """The probe and whom it asks; one by HTTP without a role asks the target itself."""
    named = (*place, "on")
    role = binder.role(probe.on, named)
    if role is None or binder.roles is None:
        return None
    absent = binder.roles.absent(probe.on)
    fits = absent or binder.fits(role, place, named, lambda asked: fit(probe, asked))
    return Question(probe, role) if fits else None
