"""What a schedule names, planned beforehand and run by the daemon: as by hand, without anybody watching."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

from seatrial.files import as_named, candidates, find, read
from seatrial.home import seatrial_home
from seatrial.incidents import IncidentSettings
from seatrial.model.problems import BadInput, Location, Problem, SeatrialError
from seatrial.schedule import Execute, LoadedSchedule, Outcome, Review
from seatrial.store import Occurrence, Store
from seatrial.trials.caller import Unattended
from seatrial.trials.examination import problems_of
from seatrial.trials.records import Records
from seatrial.trials.recovery import recover_first, recovered
from seatrial.trials.request import TrialRequest, What
from seatrial.trials.running import conducting, run_experiment, run_suite
from seatrial.trials.targets import home
from seatrial.undo.recover import left_open

_FILES_OF_AN_EXPERIMENT = (("load", "scenario"), ("load", "data"), ("load", "data", "file"))

_log = logging.getLogger(__name__)


def executor(store: Store) -> Execute:
    """Runs what a schedule names when the daemon says so; its runs are recorded in `store`."""

    def execute(
        loaded: LoadedSchedule,
        occurrence: Occurrence,  # noqa: ARG001  # its instant changes nothing of what is run
        abort: threading.Event,
    ) -> Outcome:
        return run_scheduled(loaded, abort, store)

    return execute


def run_scheduled(loaded: LoadedSchedule, abort: threading.Event, store: Store) -> Outcome:
    """Run the suite or experiment of a schedule once, and record each run.

    Raises SeatrialError when it could not be started; the daemon then notes the occurrence as interrupted.
    """
    caller = Unattended(abort)
    recover_first(caller)  # also when what is due has a mistake by now and cannot run
    request = requested(loaded)
    records = Records(store, IncidentSettings.from_environment())
    conduct = conducting(request, caller, records, loaded.escalation)
    if request.what == "experiment":
        return Outcome.of_run(run_experiment(request, caller, conduct=conduct).result)
    return Outcome.of_suite(run_suite(request, caller, conduct=conduct))


def requested(loaded: LoadedSchedule) -> TrialRequest:
    """What an occurrence asks for."""
    return TrialRequest(
        as_named(loaded.runs),
        "experiment" if loaded.schedule.suite is None else "suite",
        target=as_named(loaded.target_file),
        confirm=loaded.schedule.confirm,
    )


def review(loaded: LoadedSchedule) -> Review:
    """Plan what an occurrence would run, as if it were due: the problems, and the files that it hangs on."""
    home()  # with the testbed's passwords, as a run would have them
    request = requested(loaded)
    try:
        problems = problems_of(request)
    except SeatrialError as error:
        problems = [Problem(str(error), Location(str(loaded.file)))]
    return Review(tuple(dict.fromkeys(_named(loaded.runs, request.what))), tuple(problems))


def put_in_order() -> None:
    """Finish what a daemon that was killed has left. That fails for no occurrence: each run asks again."""
    try:
        recovered(Unattended())
    except SeatrialError as error:
        _log.warning("what killed runs left cannot be put in order yet: %s", error)


def open_faults() -> int:
    """How many faults of any run on this machine are not undone."""
    return len(left_open(seatrial_home()))


def _named(file: Path, what: What) -> Iterator[Path]:
    """A suite or experiment and all that it names, wherever that may come to stand."""
    yield file
    try:
        data = read(str(file), what).document.data
    except BadInput:
        return  # which planning it has told
    keys = [("experiments",)] if what == "suite" else _FILES_OF_AN_EXPERIMENT
    names = [name for each in keys for name in _texts(data, *each)]
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
