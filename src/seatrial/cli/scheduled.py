"""What a schedule names, planned beforehand and run by the daemon: as by hand, without a terminal."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

from seatrial.cli.asked import What, problems_of_trial
from seatrial.cli.recovering import recovered
from seatrial.cli.reporting import Asked, Desk
from seatrial.cli.targets import home, target_in_service
from seatrial.files import Source, as_named, candidates, find, read
from seatrial.incidents import Settings
from seatrial.model.problems import BadInput, Location, Problem, SeatrialError
from seatrial.run.execute import Execution, execute
from seatrial.run.observer import Silent
from seatrial.run.plan import Plan, make_plan
from seatrial.run.suite import SuitePlan, execute_suite, plan_suite
from seatrial.schedule import Outcome, Review
from seatrial.schedule import Plan as SchedulePlan
from seatrial.store import Store
from seatrial.undo.recover import require_undone


def run_scheduled(scheduled: SchedulePlan, abort: threading.Event, store: Store) -> Outcome:
    """Run the suite or experiment of a schedule once, and record each run.

    Raises SeatrialError when it could not be started; the daemon then notes the occurrence as interrupted.
    """
    require_undone(recovered().undone)
    desk = Desk(store, Settings.from_environment())
    asked = Asked(str(scheduled.target_file), confirm=scheduled.schedule.confirm)

    def one(plan: Plan, directory: Path | None) -> Execution:
        reporter = desk.reporter(plan.experiment, asked.command(plan), scheduled.escalation)
        return execute(plan, home(), Silent(), abort, directory, reporter)

    with target_in_service(asked.target, False, lambda system: _planned(scheduled, system)) as system:
        plan = _planned(scheduled, system)
        if isinstance(plan, Plan):
            result = one(plan, None).result
            return Outcome.of(result.run, result.verdict, [result], interrupted=result.interrupted)
        whole = execute_suite(plan, one, abort, lambda _: None)
    return Outcome.of(
        whole.directory.name, whole.verdict, whole.runs, interrupted=abort.is_set(), reasons=whole.reasons
    )


def review(scheduled: SchedulePlan) -> Review:
    """Plan what an occurrence would run, as if it were due: the problems, and the files that it hangs on."""
    home()  # with the testbed's passwords, as a run would have them
    what = _what(scheduled)
    named, target = as_named(scheduled.runs), as_named(scheduled.target_file)
    try:
        problems = problems_of_trial(named, what, target, scheduled.schedule.confirm)
    except SeatrialError as error:
        problems = [Problem(str(error), Location(str(scheduled.file)))]
    return Review(tuple(dict.fromkeys(_named(scheduled.runs, what))), tuple(problems))


def _what(scheduled: SchedulePlan) -> What:
    return "suite" if scheduled.schedule.suite is not None else "experiment"


def _planned(scheduled: SchedulePlan, system: Source) -> Plan | SuitePlan:
    """What an occurrence runs on a target. Raises BadInput with the problems of all files."""
    source = read(as_named(scheduled.runs), _what(scheduled))
    confirm = scheduled.schedule.confirm
    if _what(scheduled) == "suite":
        return plan_suite(source, system, confirm)
    return make_plan(source, system, confirm=confirm)


def _named(file: Path, what: What) -> Iterator[Path]:
    """A suite or experiment and all that it names, wherever that may come to stand."""
    yield file
    try:
        data = read(str(file), what).document.data
    except BadInput:
        return  # which planning it has told
    names = _texts(data, "experiments") if what == "suite" else _texts(data, "load", "scenario")
    for name in names:
        yield from candidates(name, file)
        found = find(name, file)
        if found is not None and what == "suite":
            yield from _named(found, "experiment")


def _texts(data: object, *keys: str) -> list[str]:
    """The text, or the texts of the list, at the end of some keys; nothing where something else stands."""
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return [each for each in (data if isinstance(data, list) else [data]) if isinstance(each, str)]
