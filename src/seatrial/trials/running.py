"""A trial from its request to its record: examined, recovered before, in service, run, recorded, told.

The daemon keeps its own records for all its trials; every other caller has them opened for the length of one.
From the start of a run on, a wish to end is one that the run itself answers: faults are undone, the evidence
is kept, the verdict is told.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from seatrial.incidents import Escalation
from seatrial.model.problems import Problems
from seatrial.model.result import RunResult
from seatrial.model.suiteresult import SuiteResult
from seatrial.run.execute import Execution, execute
from seatrial.run.fleet import sharing
from seatrial.run.plan import Plan, make_plan
from seatrial.run.suite import execute_suite
from seatrial.run.suiteplan import plan_suite
from seatrial.trials.caller import Caller
from seatrial.trials.examination import examined
from seatrial.trials.records import Records, open_records
from seatrial.trials.recovery import recover_first
from seatrial.trials.request import TrialRequest
from seatrial.trials.targets import home, target_in_service, tenants_wanted
from seatrial.trials.telemetry import export_if_wanted

Conduct = Callable[[Plan, Path | None], Execution]
"""Runs one plan, with its evidence in a directory (None: one under runs/), and records it."""


def run_experiment(
    request: TrialRequest,
    caller: Caller,
    *,
    problems: Problems | None = None,
    conduct: Conduct | None = None,
) -> Execution:
    """Run one experiment.

    Without `conduct` the run is recorded for this trial alone, and people are told at its end. Raises
    BadInput with all that is wrong, `problems` among it; nothing is started then.
    """
    source = examined(request, problems)
    recover_first(caller)
    plan_for = functools.partial(make_plan, source, rate=request.rate, confirm=request.confirm)
    with target_in_service(
        request.target, request.no_testbed, tenants_wanted(source), plan_for, caller
    ) as system:
        planned = plan_for(system)
        with (
            sharing(planned, request.workers, caller.say) as plan,
            _conducting(request, caller, conduct) as run,
        ):
            return run(plan, request.evidence)


def run_suite(
    request: TrialRequest,
    caller: Caller,
    *,
    told: Callable[[RunResult], None] = lambda _: None,
    problems: Problems | None = None,
    conduct: Conduct | None = None,
) -> SuiteResult:
    """Run experiments one after the other; `told` hears of each result as it comes. Raises as above."""
    source = examined(request, problems)
    recover_first(caller)
    plan_for = functools.partial(plan_suite, source, confirm=request.confirm)
    with target_in_service(
        request.target, request.no_testbed, tenants_wanted(source), plan_for, caller
    ) as system:
        planned = plan_for(system)
        with _conducting(request, caller, conduct) as run, caller.shielded() as stop:
            return execute_suite(planned, run, stop, told, request.evidence, caller.say)


def conducting(
    request: TrialRequest, caller: Caller, records: Records | None, escalation: Escalation | None = None
) -> Conduct:
    """Runs plans for a caller, and has them recorded, if they can be."""

    def conduct(plan: Plan, directory: Path | None) -> Execution:
        reporter = records.reporter(plan.experiment, request.command(plan), escalation) if records else None
        with caller.shielded() as stop, caller.watching(plan, stop) as view:
            execution = execute(plan, home(), view, stop, directory, reporter)
        export_if_wanted(execution.result, execution.evidence.directory, caller.say)
        return execution

    return conduct


@contextmanager
def recorded(request: TrialRequest, caller: Caller) -> Iterator[Conduct]:
    """The same for the length of one trial, at whose end people are told."""
    with open_records(caller.say) as records, caller.shielded():
        yield conducting(request, caller, records)
        if records:
            records.deliver(caller.say)
            if request.metrics is not None:
                records.write_metrics(request.metrics, caller.say)


def _conducting(
    request: TrialRequest, caller: Caller, given: Conduct | None
) -> AbstractContextManager[Conduct]:
    return recorded(request, caller) if given is None else nullcontext(given)
