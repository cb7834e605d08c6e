"""Run experiments one after the other; the whole is as good as the worst of them.

Every experiment is planned before the first is started, so a mistake in the last file costs no time. A run
that cannot be started is unknown and does not keep the others from running. An interrupt ends the suite, and
so does a run that leaves something behind: the next would measure a target that is not what it was.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.files import Source, find, missing, read
from seatrial.model.document import build
from seatrial.model.problems import CannotStore, Problem, Problems
from seatrial.model.result import RunResult
from seatrial.model.suite import Suite
from seatrial.model.verdict import Verdict
from seatrial.run.evidence import Evidence
from seatrial.run.plan import Plan, make_plan, problems_of_plan, problems_of_target

if TYPE_CHECKING:  # who only plans a suite, as a dry run does, need not load what runs it
    from seatrial.run.execute import Execution

_ACCOUNT = "suite.json"


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """What came of a suite. `not_run`: experiments that an interrupt, or what was left behind, kept out.

    `reasons`: what befell the suite as a whole.
    """

    suite: str
    title: str
    verdict: Verdict
    runs: tuple[RunResult, ...]
    not_run: tuple[str, ...]
    directory: Path
    reasons: tuple[str, ...] = ()

    @property
    def interrupted(self) -> bool:
        """Whether a person or a supervisor ended it early."""
        left = any(step.left_behind for result in self.runs for step in result.steps)
        return any(result.interrupted for result in self.runs) or bool(self.not_run and not left)


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


def execute_suite(
    planned: SuitePlan,
    run: Callable[[Plan, Path], Execution],
    stop: threading.Event,
    told: Callable[[RunResult], None],
    out: Path | None = None,
) -> SuiteResult:
    """Run every plan with `run(plan, directory)`; `told` hears of each result as it comes.

    What has become of the whole is written down before the first run and after each, so that a suite that is
    killed has its account too. Raises BadInput or CannotStore when there can be no directory for it, or no
    account in it; nothing is started then.
    """
    suite = planned.suite
    evidence = Evidence.create(suite.suite, datetime.now(UTC), out)
    evidence.write_json(_ACCOUNT, suite_document(_whole(planned, [], evidence)))
    results: list[RunResult] = []
    reasons: tuple[str, ...] = ()
    for number, plan in enumerate(planned.plans, start=1):
        if stop.is_set() or (results and stop.wait(suite.pause.seconds)):
            break
        directory = evidence.path(f"{number:02d}-{plan.experiment.experiment}")
        try:
            result = run(plan, directory).result
        except CannotStore as error:
            result = not_started(plan, directory.name, str(error))
        results.append(result)
        told(result)
        reasons = _kept(planned, results, evidence)
        if any(step.left_behind for step in result.steps):
            break
    return _whole(planned, results, evidence, reasons)


def _whole(
    planned: SuitePlan, results: list[RunResult], evidence: Evidence, reasons: tuple[str, ...] = ()
) -> SuiteResult:
    """What has become of a suite so far. What was not run, and what befell the whole, makes it unknown."""
    not_run = tuple(plan.experiment.experiment for plan in planned.plans[len(results) :])
    doubts = [Verdict.UNKNOWN for _ in (*not_run, *reasons)]
    verdict = Verdict.merge([*(result.verdict for result in results), *doubts])
    suite = planned.suite
    return SuiteResult(
        suite.suite, suite.title, verdict, tuple(results), not_run, evidence.directory, reasons
    )


def _kept(planned: SuitePlan, results: list[RunResult], evidence: Evidence) -> tuple[str, ...]:
    """Write the account down; why the disk did not take it."""
    try:
        evidence.write_json(_ACCOUNT, suite_document(_whole(planned, results, evidence)))
    except CannotStore as error:
        return (f"missing: {error}",)
    return ()


def not_started(plan: Plan, run: str, reason: str) -> RunResult:
    """What is known of a run for which there was no room."""
    return RunResult(
        run=run,
        experiment=plan.experiment.experiment,
        title=plan.experiment.title,
        target=plan.target.target,
        verdict=Verdict.UNKNOWN,
        reasons=(reason,),
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        interrupted=False,
        measurement=None,
        covers=plan.experiment.covers,
    )


def suite_document(whole: SuiteResult) -> dict[str, object]:
    """A suite as JSON-ready data: its verdict and each run's, with where the run's evidence is."""
    return {
        "suite": whole.suite,
        "verdict": whole.verdict,
        "runs": [
            {
                "run": result.run,
                "experiment": result.experiment,
                "verdict": result.verdict,
                "reasons": result.reasons,
                "objectives": result.objectives,
            }
            for result in whole.runs
        ],
        "not_run": whole.not_run,
        "directory": str(whole.directory),
    }
