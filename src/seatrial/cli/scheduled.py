"""What a schedule names, planned beforehand and run by the daemon: as by hand, without a terminal."""

from __future__ import annotations

import ast
import threading
from collections.abc import Iterator
from pathlib import Path

from seatrial.cli.reporting import Asked, Desk
from seatrial.cli.targets import home, planned_target, target_in_service
from seatrial.faults.recover import recover
from seatrial.files import as_named, candidates, find
from seatrial.incidents import Settings
from seatrial.model.problems import BadInput, Location, Problem, SeatrialError
from seatrial.run.execute import Execution, execute
from seatrial.run.files import Source, read
from seatrial.run.observer import Silent
from seatrial.run.plan import Plan, make_plan
from seatrial.run.suite import SuitePlan, execute_suite, plan_suite
from seatrial.schedule import Outcome, Review
from seatrial.schedule import Plan as SchedulePlan
from seatrial.store import Store


def run_scheduled(scheduled: SchedulePlan, abort: threading.Event, store: Store) -> Outcome:
    """Run the suite or experiment of a schedule once, and record each run.

    Raises SeatrialError when it could not be started; the daemon then notes the occurrence as interrupted.
    """
    if not all(each.undone for each in recover(home())):
        raise SeatrialError("an earlier run's fault is still there; mend it by hand, then: seatrial recover")
    desk = Desk(store, Settings.from_environment())
    asked = Asked(str(scheduled.target_file), confirm=scheduled.schedule.confirm)

    def one(plan: Plan, directory: Path | None) -> Execution:
        reporter = desk.reporter(plan, asked, scheduled.escalation)
        return execute(plan, home(), Silent(), abort, directory, reporter)

    with target_in_service(asked.target, False, lambda system: _planned(scheduled, system)) as system:
        plan = _planned(scheduled, system)
        if isinstance(plan, Plan):
            result = one(plan, None).result
            return Outcome.of(result.run, result.verdict, [result], interrupted=result.interrupted)
        whole = execute_suite(plan, one, abort, lambda _: None)
    return Outcome.of(whole.directory.name, whole.verdict, whole.runs, interrupted=abort.is_set())


def review(scheduled: SchedulePlan) -> Review:
    """Plan what an occurrence would run, as if it were due: the problems, and the files that it hangs on."""
    problems: list[Problem] = []
    home()  # with the testbed's passwords, as a run would have them
    try:
        _planned(scheduled, planned_target(str(scheduled.target_file)))
    except BadInput as error:
        problems += error.problems
    except SeatrialError as error:
        problems.append(Problem(str(error), Location(str(scheduled.file))))
    files = tuple(dict.fromkeys(_named(scheduled.runs, scheduled.schedule.suite is not None)))
    broken = [problem for file in files if file.suffix == ".py" for problem in _unreadable(file)]
    return Review(files, (*problems, *broken))


def _planned(scheduled: SchedulePlan, system: Source) -> Plan | SuitePlan:
    """What an occurrence runs on a target. Raises BadInput with the problems of all files."""
    confirm = scheduled.schedule.confirm
    if scheduled.schedule.suite is not None:
        return plan_suite(read(as_named(scheduled.runs), "suite"), system, confirm)
    return make_plan(read(as_named(scheduled.runs), "experiment"), system, confirm=confirm)


def _named(file: Path, is_suite: bool) -> Iterator[Path]:
    """A suite or experiment and all that it names, wherever that may come to stand."""
    yield file
    try:
        data = read(str(file), "file").document.data
    except BadInput:
        return  # which planning it has told
    names = _texts(data, "experiments") if is_suite else _texts(data, "load", "scenario")
    for name in names:
        yield from candidates(name, file)
        found = find(name, file)
        if found is not None and is_suite:
            yield from _named(found, False)


def _texts(data: object, *keys: str) -> list[str]:
    """The text, or the texts of the list, at the end of some keys; nothing where something else stands."""
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return [each for each in (data if isinstance(data, list) else [data]) if isinstance(each, str)]


def _unreadable(scenario: Path) -> Iterator[Problem]:
    """What keeps Python from reading a scenario; it is not run for that."""
    if not scenario.is_file():
        return
    try:
        ast.parse(scenario.read_bytes(), str(scenario))
    except SyntaxError as error:
        where = Location(as_named(scenario), error.lineno, error.offset)
        yield Problem(f"is not Python: {error.msg}", where)
    except (OSError, ValueError) as error:
        yield Problem(f"cannot be read: {error}", Location(as_named(scenario)))
