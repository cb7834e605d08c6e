"""The checks of an experiment, and who has to be asked for them, before the run or after it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from seatrial.checks import registry
from seatrial.checks.protocol import Check, DeclaredCheck, Need, When
from seatrial.lookups.recorder import Recorder
from seatrial.lookups.recording import recorder_of
from seatrial.lookups.replication import SERVERS
from seatrial.model.problems import Path, Problem
from seatrial.model.role import Role
from seatrial.run.binding import Binder
from seatrial.run.draft import Draft
from seatrial.run.lag import RECORDER as REPLICATION

_DATABASES = {"patroni", "postgres"}


@dataclass(frozen=True, slots=True)
class BoundNeed:
    """What a check has to be told, who asks for it, and whom."""

    need: Need[Any]
    recorder: Recorder[Any]
    role: Role
    lacking: str = ""  # what the target says it has not got here, of whom is only looked at during a run


@dataclass(frozen=True, slots=True)
class Judges:
    """All checks of a run, and their needs, each once."""

    checks: tuple[Check, ...]
    needs: tuple[BoundNeed, ...]


def bind_checks(draft: Draft, binder: Binder) -> Judges:
    """Look up every check, and whom it has to be told of; what is wrong goes to the binder's problems."""
    checks: list[Check] = []
    needs: dict[Need[Any], BoundNeed] = {}
    for index, written in draft.checks:
        place: Path = ("checks", index)
        with binder.noted((*place, written.check), named=place):
            check = registry.build(written.check, written.with_)
            if check in checks:
                message = f"the same check stands at checks[{checks.index(check)}] already"
                binder.add(Problem(message, path=place))
            checks.append(check)
            if wrong := _dangling(check, draft):
                binder.add(Problem(wrong, path=(*place, written.check, "after")))
            for need in check.needs():
                at = (*place, written.check, _parameter(check, need.role))
                if (bound := _bound(need, at, binder)) is not None:
                    needs[need] = bound
    for need, at in _of_replication(draft, binder):
        if (bound := _bound(need, at, binder)) is not None:
            needs[need] = bound
    return Judges(tuple(checks), tuple(needs.values()))


def _of_replication(draft: Draft, binder: Binder) -> Iterator[tuple[Need[Any], Path]]:
    """Whom to ask how far a database is behind: for the objective, or whenever it is acted on."""
    objective = draft.objectives.replication_lag
    if objective is not None:
        yield Need(REPLICATION, objective.on, When.DURING), ("objectives", "replication_lag", "on")
    elif binder.roles is not None:
        bindings = binder.roles.target.roles
        acted_on = {bindings[step.on].driver for _, step in draft.timeline if step.on in bindings}
        for role in binder.roles.bound_to(SERVERS)[:1] if acted_on & _DATABASES else ():
            yield Need(REPLICATION, role.name, When.DURING), ("timeline",)


def _bound(need: Need[Any], place: Path, binder: Binder) -> BoundNeed | None:
    """`place`: where its role is named, or would be."""
    recorder, role = recorder_of(need), binder.role(need.role, place)
    if role is None or binder.roles is None:
        return None
    # what a target says it has not got here is not run, which is told as well
    absent = binder.roles.absent(need.role)
    fits = absent or binder.fits(role, place[:-1], place, recorder.fit)
    lacking = absent if need.when is When.DURING else ""
    return BoundNeed(need, recorder, role, lacking) if fits else None


def _dangling(check: Check, draft: Draft) -> str:
    """What is wrong with the step that a check counts from; empty when nothing, or when it names none."""
    after = getattr(check, "after", None)
    if after is None or draft.unread:
        return ""
    labels = [step.label for _, step in draft.timeline]
    if labels.count(after) == 1:
        return ""
    known = ", ".join(sorted(set(labels))) or "none; the timeline is empty"
    if after in labels:
        return f"{labels.count(after)} steps are called '{after}'; give each a name"
    return f"no step is called '{after}'; there are: {known}"


def _parameter(check: Check, role: str) -> str:
    """Which of a check's parameters names a role."""
    parameters = dict(check) if isinstance(check, DeclaredCheck) else {}
    return next((name for name, value in parameters.items() if value == role), "role")
