"""A suite planned whole: every experiment before the first is started, so the last mistake costs no time."""

from __future__ import annotations

from dataclasses import dataclass

from seatrial.files import Source, find, missing, read
from seatrial.model.document import build
from seatrial.model.problems import Problem, Problems
from seatrial.model.suite import Suite
from seatrial.run.plan import Plan, make_plan, problems_of_plan, problems_of_target


@dataclass(frozen=True, slots=True)
class SuitePlan:
    """A suite whose experiments are all planned."""

    suite: Suite
    plans: tuple[Plan, ...]


def plan_suite(source: Source, target: Source, confirm: str = "") -> SuitePlan:
    """Plan every experiment. Raises BadInput with the problems of all files."""
    problems = Problems()
    problems.add(*problems_of_suite(source, target, confirm))
    problems.tell()
    suite = build(Suite, source.document)
    plans = [
        make_plan(read(named, "experiment", source.path), target, confirm=confirm)
        for named in suite.experiments
    ]
    return SuitePlan(suite, tuple(plans))


def problems_of_suite(source: Source, target: Source | None, confirm: str = "") -> list[Problem]:
    """All that is wrong with a suite, its experiments and the target, if there is one; nothing is started."""
    problems = Problems()
    document = source.document
    with problems.collected():
        build(Suite, document)
    if target is not None:
        problems.add(*problems_of_target(target, confirm))
    experiments = document.at(("experiments",))
    for index, named in enumerate(experiments if isinstance(experiments, list) else []):
        if not isinstance(named, str):
            continue  # which is told already
        if find(named, source.path) is None:
            problems.add(document.problem(("experiments", index), missing(named, source.path)))
            continue
        with problems.collected():
            problems.add(*problems_of_plan(read(named, "experiment", source.path), target, confirm))
    return list(problems)
