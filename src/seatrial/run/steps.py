"""The timeline of an experiment, looked up: which fault or action each step is, and on whom."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from seatrial.model.document import Document
from seatrial.model.experiment import Step
from seatrial.model.load import placed
from seatrial.model.problems import Path, Problem
from seatrial.model.quantities import Duration
from seatrial.model.role import Role
from seatrial.run.arrivalchange import ArrivalChange
from seatrial.run.binding import Binder
from seatrial.run.draft import Draft
from seatrial.undo import registry
from seatrial.undo.protocol import ChangingArrivals, Fault, Kind


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step whose fault or action, and role, are known and fit one another."""

    name: str  # unique in the run
    at_s: float
    for_s: float | None
    fault: Fault
    role: Role


@dataclass(frozen=True, slots=True)
class BoundTimeline:
    """Every step of an experiment: what is done to the target, in order of time, and to the arrivals."""

    steps: tuple[PlannedStep, ...]
    arrival_changes: tuple[ArrivalChange, ...]


def bind_timeline(draft: Draft, binder: Binder) -> BoundTimeline:
    """Look up every step and whom it is done to; what is wrong goes to the binder's problems."""
    problems, document = binder.problems, binder.document
    problems.add(*_outside(draft, document), *_named_twice(draft, document), *_dangling(draft, document))
    names = _unique_names([step for _, step in draft.timeline])
    steps: list[PlannedStep] = []
    changes: list[ArrivalChange] = []
    for name, (index, step) in zip(names, draft.timeline, strict=True):
        named = _NamedStep(step, name, ("timeline", index), binder)
        fault = named.fault()
        if isinstance(fault, ChangingArrivals):
            changes += named.arrival_change(fault.arrival_factor())
        else:
            steps += named.planned(fault)
    return BoundTimeline(tuple(sorted(steps, key=lambda step: step.at_s)), tuple(changes))


def _outside(draft: Draft, document: Document) -> Iterator[Problem]:
    """Steps that would begin when the run is over, or outlast it."""
    duration = draft.duration
    if duration is None:
        return
    told = f"is not within the run's duration of {duration}"
    for index, step in draft.timeline:
        if step.at.seconds >= duration.seconds:
            yield document.problem(("timeline", index, "at"), f"{step.at} {told}")
        elif step.for_ is not None and step.at.seconds + step.for_.seconds > duration.seconds:
            end = f"it would end at {type(duration)(step.at.seconds + step.for_.seconds)}, which {told}"
            message = f"{end}; left out, a fault lasts until the end"
            yield document.problem(("timeline", index, "for"), message)
    segments = draft.load.rate if draft.load else ()
    for index, (at_s, end_s) in enumerate(placed(segments)):
        place: Path = ("load", "rate", index) if document.has(("load", "rate", index)) else ("load", "rate")
        if at_s >= duration.seconds:
            yield document.problem((*place, "at"), f"{Duration(at_s)} {told}")
        elif duration.seconds < end_s < math.inf:
            yield document.problem(place, f"it would end at {Duration(end_s)}, which {told}")


def _named_twice(draft: Draft, document: Document) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, step in draft.timeline:
        if step.name is None:
            continue
        if step.name in first:
            message = (
                f"timeline[{first[step.name]}] is called '{step.name}' already; name one of them otherwise"
            )
            yield document.problem(("timeline", index, "name"), message)
        first.setdefault(step.name, index)


def _unique_names(steps: list[Step]) -> list[str]:
    """Each step's label. Steps without a name that do the same are numbered from the second on."""
    taken = {step.name for step in steps if step.name}
    names = []
    for step in steps:
        name, number = step.label, 1
        while step.name is None and name in taken:
            number += 1
            name = f"{step.label}-{number}"
        taken.add(name)
        names.append(name)
    return names


def _dangling(draft: Draft, document: Document) -> Iterator[Problem]:
    """Objectives that count from a step that the timeline does not have, or has more than once."""
    if draft.unread:
        return
    labels = Counter(step.label for _, step in draft.timeline)
    for kind in ("downtime", "recovery"):
        for index, objective in enumerate(getattr(draft.objectives, kind)):
            after = objective.after
            if after is None or labels[after] == 1:
                continue
            known = ", ".join(sorted(labels)) or "none; the timeline is empty"
            message = (
                f"{labels[after]} steps are called '{after}'; give each a name"
                if after in labels
                else f"no step is called '{after}'; there are: {known}"
            )
            path: Path = ("objectives", kind, index, "after")
            single: Path = ("objectives", kind, "after")
            yield document.problem(path if document.has(path) else single, message)


@dataclass(frozen=True, slots=True)
class _NamedStep:
    """One step, on its way from words to what they mean."""

    step: Step
    name: str
    place: Path
    binder: Binder

    def fault(self) -> Fault | None:
        """What is done, if there is such a thing and its parameters are right."""
        kind: Kind = "action" if self.step.fault is None else "fault"
        with self.binder.noted(self.place, named=(*self.place, kind)):
            registry.require_kind(self.step.does, kind)
            if kind == "action" and self.step.for_ is not None:
                self._add("an action has no duration; 'for' belongs to faults", "for")
            return registry.build(self.step.does, self.step.with_, kind)
        return None

    def arrival_change(self, times: float) -> Iterator[ArrivalChange]:
        """The change of the arrivals, if it has an end."""
        step = self.step
        if step.for_ is None:
            self._add(f"{step.does} needs an end: for: 10s")
        else:
            yield ArrivalChange(self.name, step.at.seconds, step.for_.seconds, times, step.does)

    def planned(self, fault: Fault | None) -> Iterator[PlannedStep]:
        """The step, if all of it is right; without a `fault` nothing but its role is looked at."""
        step = self.step
        if not step.on:
            if fault is not None:
                self._add("is required and missing: the role that it is done to", "on")
            return
        role = self.binder.role(step.on, (*self.place, "on"))
        if fault is None or role is None:
            return
        if self.binder.fits(role, self.place, self.place, lambda asked: self._fit(fault, asked)):
            yield PlannedStep(
                self.name, step.at.seconds, step.for_.seconds if step.for_ else None, fault, role
            )

    def _fit(self, fault: Fault, role: Role) -> None:
        """Raise BadInput unless the fault can be done to that role."""
        registry.bind(fault, role)
        if self.binder.roles is not None and self.binder.roles.known(role):
            registry.fit(fault, role)

    def _add(self, message: str, *key: str) -> None:
        """Note what is wrong with the step, or with one of its keys."""
        self.binder.add(Problem(message, path=(*self.place, *key), word=self.step.does))
