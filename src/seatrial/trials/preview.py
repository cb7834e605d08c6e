"""A dry run: who would be touched, how, how that would be undone, and what cannot be done."""

from __future__ import annotations

from dataclasses import dataclass, replace

from seatrial.model.problems import Problems, SeatrialError
from seatrial.run.plan import Plan, PlannedStep, make_plan
from seatrial.trials.examination import examined
from seatrial.trials.request import TrialRequest
from seatrial.trials.targets import is_up, planned_target
from seatrial.undo import calling
from seatrial.undo.protocol import Lasting, Undo


@dataclass(frozen=True, slots=True)
class PreviewedStep:
    """A step and what it would do, as far as that is known.

    by_hand: the command that undoes it. lasting: nothing undoes it, by declaration.
    """

    step: PlannedStep
    touches: str
    by_hand: str = ""
    lasting: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """A plan that is not carried out. `looked`: the target is there, and was looked at for each step."""

    plan: Plan
    steps: tuple[PreviewedStep, ...]
    looked: bool


def preview(request: TrialRequest, problems: Problems | None = None) -> Preview:
    """What a run would do; nothing is started. Raises BadInput with all that is wrong, and `problems`."""
    source = examined(request, problems)
    system = planned_target(request.target)
    plan = make_plan(source, system, rate=request.rate, confirm=request.confirm)
    return previewed(replace(plan, workers=request.workers), looks=is_up(request.target))


def previewed(plan: Plan, *, looks: bool) -> Preview:
    """A plan as it would be carried out. `looks`: the target is there to be looked at."""
    return Preview(
        plan, tuple(_looked_at(step) if looks else _as_planned(step) for step in plan.steps), looks
    )


def _as_planned(step: PlannedStep) -> PreviewedStep:
    return PreviewedStep(step, f"{step.role.name} ({step.role.driver})", lasting=_lasting(step))


def _looked_at(step: PlannedStep) -> PreviewedStep:
    try:
        undo: Undo = calling.prepare(step.fault, step.role)
    except SeatrialError as error:
        return PreviewedStep(step, f"{step.role.name}: {error}")
    return PreviewedStep(step, undo.touches, undo.by_hand, undo.lasting)


def _lasting(step: PlannedStep) -> bool:
    return isinstance(step.fault, Lasting) and step.fault.lasting
