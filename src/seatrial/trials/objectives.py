"""What an exploration is asked for, looked at as a whole before anything is touched.

The objectives file is an experiment: its load, its promises, its checks and guards judge every run. Steps
that stand in its timeline are not run as they stand: each is one more fault to choose, with the parameters
that only its user knows. `after: last` counts from whichever fault begins last.
"""

from __future__ import annotations

import fnmatch
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seatrial.explore.schedule import SLOTS
from seatrial.explore.space import MOST_FAULTS, Choice, Space
from seatrial.explore.writing import LAST
from seatrial.files import Source, as_named, find, read
from seatrial.model.document import Document, build
from seatrial.model.experiment import Experiment
from seatrial.model.mistakes import Mistake
from seatrial.model.problems import BadInput, Problem, Problems, nearest
from seatrial.model.target import Target
from seatrial.run.plan import problems_of_plan, problems_of_target
from seatrial.trials.fault_choices import LeftOut, fault_choices
from seatrial.trials.targets import allowed_target
from seatrial.undo import registry

OBJECTIVES = "chaos/explore.yaml"
BEYOND_S = 5.0
"""What a run takes beside its own length, until one was seen."""
_FAULTS_COME_IN = 1 / 3  # of the measured part; the rest is for the service to recover
_ROUNDING = 1e-6
_NAMES_A_FILE = (
    ("load", "scenario"),
    ("load", "data"),
    ("load", "data", "file"),
    ("load", "replay"),
    ("load", "replay", "file"),
    ("objectives", "openslo"),
)


@dataclass(frozen=True, slots=True)
class ExploreRequest:
    """How an exploration is asked for. `anew`: what was tried before is put aside."""

    target: str = ""  # the testbed, when left out
    objectives: str = OBJECTIVES
    budget_s: float = 1200.0
    seed: int = 1
    repeats: int = 4
    most: int = MOST_FAULTS
    without: tuple[str, ...] = ()  # faults that are not to be chosen: patterns of what they are called
    no_testbed: bool = False
    anew: bool = False
    first: bool = False  # whether the first weakness ends it
    evidence: Path | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What was read: the objectives file, and the target as far as it is known without starting anything."""

    source: Source
    experiment: Experiment
    target: Target

    @property
    def length_s(self) -> float:
        """How long a run takes by its plan."""
        return self.experiment.warmup.seconds + self.experiment.duration.seconds

    @property
    def slot_s(self) -> float:
        """The length of a slot: the faults come in the first third of the measured part."""
        exact_s = self.experiment.duration.seconds * _FAULTS_COME_IN / SLOTS
        digits = 1 - math.floor(math.log10(exact_s))
        return round(math.floor(exact_s * 10.0**digits + _ROUNDING) / 10.0**digits, 9)


def examined(request: ExploreRequest, problems: Problems | None = None) -> Asked:
    """Read both files. Raises BadInput with all that is wrong, `problems` among it."""
    problems = Problems() if problems is None else problems
    source: Source | None = None
    system: Source | None = None
    with problems.collected():
        source = read(request.objectives, "experiment")
    with problems.collected():
        system = allowed_target(request.target, request.no_testbed)
    if system is not None:
        problems.add(*_problems_of_system(system))
    if source is not None:
        problems.add(*_problems_of_objectives(source, system))
    problems.tell()
    assert source is not None  # or there would have been a problem
    assert system is not None
    asked = Asked(source, build(Experiment, source.document), build(Target, system.document))
    if request.budget_s < asked.length_s + BEYOND_S:
        told = f"one run takes about {asked.length_s + BEYOND_S:g}s, so nothing could be tried"
        raise BadInput(f"--budget {request.budget_s:g}s: {told}")
    return asked


def space_of(
    asked: Asked, system: Source, request: ExploreRequest, *, looks: bool
) -> tuple[Space, list[LeftOut]]:
    """What can be chosen, and what cannot. `looks`: the target is there to be looked at.

    Raises BadInput when nothing is left to choose, and for what is to be left out and is not known.
    """
    target = build(Target, system.document)
    found = fault_choices(target, system.path.parent, asked.experiment.timeline, looks=looks)
    told = {*registry.FAULTS.all(), *target.roles, *(each.what for each in found.left_out)}
    for meant in request.without:
        if not any(_means(meant, each) for each in found.choices) and not fnmatch.filter(told, meant):
            raise BadInput(f"--without {meant}: no fault or role is called so{nearest(meant, told)}")
    chosen, left_out = [], list(found.left_out)
    for choice in found.choices:
        pattern = next((each for each in request.without if _means(each, choice)), None)
        if pattern is None:
            chosen.append(choice)
        else:
            left_out.append(LeftOut(choice.key, f"--without {pattern}"))
    if not chosen:
        why = "; ".join(f"{each.what}: {each.why}" for each in left_out)
        raise BadInput(f"the target {target.target} has nothing to explore: {why}")
    return Space(tuple(chosen), asked.slot_s, request.most), left_out


def _means(pattern: str, choice: Choice) -> bool:
    """Whether a pattern names a fault, a role, or one on the other."""
    named = filter(None, (choice.fault, choice.role, choice.key))
    return any(fnmatch.fnmatchcase(each, pattern) for each in named)


def standing_alone(source: Source) -> dict[str, Any]:
    """The objectives file's data, with the files that it names as they are found from anywhere else."""
    data: dict[str, Any] = source.document.data
    for keys in _NAMES_A_FILE:
        data = _with_found(data, keys, source.path)
    return data


def _with_found(data: Any, keys: tuple[str, ...], named_by: Path) -> Any:
    if not keys:
        if isinstance(data, list):
            return [_with_found(each, (), named_by) for each in data]
        path = find(data, named_by) if isinstance(data, str) else None
        return as_named(path) if path else data
    if not isinstance(data, dict) or keys[0] not in data:
        return data
    return {**data, keys[0]: _with_found(data[keys[0]], keys[1:], named_by)}


def _problems_of_system(system: Source) -> list[Problem]:
    document = system.document
    named = str(document.at(("target",)))
    problems = problems_of_target(system, named)  # no confirmation helps, so none is asked for
    if document.at(("environment",)) == "production":
        problems.append(document.problem(("environment",), Mistake.NEVER_EXPLORED()))
    return problems


def _problems_of_objectives(source: Source, system: Source | None) -> list[Problem]:
    """All that would be wrong with any run of it, but for what it cannot know: which steps there will be."""
    named = str(system.document.at(("target",))) if system is not None else ""
    document = source.document
    unknown = f"no step is called '{LAST}'"
    problems = [
        each for each in problems_of_plan(source, system, named) if not each.message.startswith(unknown)
    ]
    return problems + _of_promises(document) + _of_steps_not_chosen(document)


def _of_promises(document: Document) -> list[Problem]:
    """What breaks no promise is no weakness, so without one every run would be unknown."""
    if document.at(("objectives",)) or document.at(("checks",)):
        return []
    return [document.problem((), Mistake.NOTHING_TO_BREAK())]


def _of_steps_not_chosen(document: Document) -> list[Problem]:
    """Objectives that count from a step of the timeline, and actions in it: neither can be chosen."""
    problems = []
    timeline = document.at(("timeline",))
    for index, step in enumerate(timeline if isinstance(timeline, list) else []):
        if isinstance(step, dict) and "action" in step:
            told = "only faults can be chosen: an action has no end of its own"
            problems.append(document.problem(("timeline", index, "action"), told))
    for kind in ("downtime", "recovery"):
        written = document.at(("objectives", kind))
        for index, one in enumerate(written if isinstance(written, list) else [written]):
            if isinstance(one, dict) and one.get("after") not in (None, LAST):
                path = (
                    ("objectives", kind, index, "after")
                    if isinstance(written, list)
                    else ("objectives", kind, "after")
                )
                told = f"which steps there are is chosen anew each time; write after: {LAST}"
                problems.append(document.problem(path, told))
    return problems
