"""What a schedule names, run by the daemon: the same as by hand, without a terminal."""

from __future__ import annotations

import threading
from pathlib import Path

from seatrial.cli.recovering import recovered
from seatrial.cli.reporting import Desk
from seatrial.cli.targets import home, target_in_service
from seatrial.faults.recover import require_undone
from seatrial.files import Source, read
from seatrial.incidents import Settings
from seatrial.model.result import RunResult
from seatrial.run.execute import Execution, execute
from seatrial.run.observer import Silent
from seatrial.run.plan import Plan, make_plan
from seatrial.run.suite import execute_suite, plan_suite
from seatrial.schedule import Plan as SchedulePlan
from seatrial.store import Occurrence, Store


def run_scheduled(
    scheduled: SchedulePlan, occurrence: Occurrence, abort: threading.Event, store: Store
) -> RunResult:
    """Run the suite or experiment of one occurrence, and record each run.

    Raises SeatrialError when it could not be started; the daemon then notes the occurrence as interrupted.
    """
    require_undone(recovered().undone)
    desk = Desk(store, Settings.from_environment())
    named = str(scheduled.runs)
    source = read(named, scheduled.schedule.runs)
    is_suite = scheduled.schedule.suite is not None
    target = str(scheduled.target_file)

    def one(plan: Plan, directory: Path | None) -> Execution:
        command = f"seatrial run {scheduled.schedule.runs} --target {scheduled.schedule.target}"
        reporter = desk.reporter(plan.experiment, command, scheduled.escalation)
        return execute(plan, home(), Silent(), abort, directory, reporter)

    def planned(system: Source) -> object:
        return plan_suite(source, system) if is_suite else make_plan(source, system)

    with target_in_service(target, False, planned) as system:
        if not is_suite:
            return one(make_plan(source, system), None).result
        whole = execute_suite(plan_suite(source, system), one, abort, lambda _: None)
    return RunResult(
        run=whole.directory.name,
        experiment=whole.suite,
        title=whole.title,
        target=occurrence.target,
        verdict=whole.verdict,
        reasons=tuple(f"{each.experiment}: {reason}" for each in whole.runs for reason in each.reasons[:1]),
        started_at=whole.runs[0].started_at if whole.runs else occurrence.due_at.isoformat(),
        interrupted=abort.is_set(),
        measurement=None,
    )
