"""What went wrong in the scenario's own code, counted where it happens.

Locust counts exceptions beside requests and goes on; a request that was answered well is a success there even
if the task that sent it then failed. Here an arrival whose task raised is evidence that the scenario did not
do what it was to do, so it is counted with the place in the scenario, goes to the spool, and keeps the run
from passing. So are listeners and greenlets of the scenario that raised, errors in Locust's log, and
connections to hosts that are not allowed, even those that the scenario's library keeps to itself.
"""

from __future__ import annotations

import functools
import logging
import sys
import sysconfig
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from seatrial.load.failure import COUNTED, is_on_record
from seatrial.load.wall import Attempt, HostNotAllowed
from seatrial.model.scenarioaccount import BlockingCall, ScenarioAccount, ScenarioError
from seatrial.model.secrets import shown

_MOST_KINDS = 50
_LONGEST_TEXT = 200
_THE_REST = ScenarioError("more kinds of errors", "", "", 0)
_LIBRARIES = (
    sysconfig.get_paths()["stdlib"],
    sysconfig.get_paths()["purelib"],
    str(Path(__file__).parents[1]),
)
LISTENER, GREENLET, LOG, CONNECTING = (
    "a listener of events",
    "a greenlet of the scenario's own",
    "the load generator's log",
    "a connection",
)

Key = tuple[str, str]  # type of the exception, place


class ErrorTally:
    """Counts them by kind: one kind is one type of exception at one place. `scenario` is the locustfile."""

    def __init__(self, scenario: str) -> None:
        self._scenario = Path(scenario).resolve() if scenario else None
        self._found: dict[Key, ScenarioError] = {}
        self._blocking: tuple[BlockingCall, ...] = ()
        self.arrivals = 0
        self.changed = False  # since the last `account`

    def raised(self, error: BaseException, during: str) -> bool:
        """Count an exception; whether it is the first of its kind. `during`: the task, or what else ran."""
        if _comes_of_a_refusal(error) or is_on_record(error):
            return False  # the wall has told of it, or the log does, and it is counted
        place = self.place_of(error)
        return self._count((type(error).__name__, place), _said(error), place, during)

    def place_of(self, error: BaseException) -> str:
        """Where in the scenario it was raised."""
        return place_of(error.__traceback__, self._scenario)

    def refused(self, attempt: Attempt) -> None:
        """Count a connection that the wall refused, whatever the scenario's library makes of it."""
        error = f"{HostNotAllowed.__name__}: {attempt.target} is not in the allow list"
        self._count((error, attempt.place), error, attempt.place, CONNECTING)

    def silent(self, task: Callable[..., Any]) -> None:
        """Count an arrival whose task came to its end without a request."""
        code = getattr(task, "__code__", None)
        place = _shown(code.co_filename, code.co_firstlineno, self._scenario) if code else ""
        self._count(("", place), "sent no request", place, getattr(task, "__name__", ""))

    def logged(self, text: str) -> None:
        """Count an error that the load process wrote into its log."""
        first = shown(next(iter(text.strip().splitlines()), ""))
        self._count((LOG, first), first[:_LONGEST_TEXT], "", LOG)

    def stopped_by(self, blocking: tuple[BlockingCall, ...]) -> None:
        """All that has stopped the loop so far."""
        self.changed = True
        self._blocking = blocking

    def account(self) -> ScenarioAccount:
        """All so far, the most frequent first."""
        self.changed = False
        found = sorted(self._found.values(), key=lambda each: -each.count)
        return ScenarioAccount(self.arrivals, tuple(found), self._blocking)

    def _count(self, key: Key, error: str, place: str, during: str) -> bool:
        self.changed = True
        known = self._found.get(key)
        if known is None and len(self._found) >= _MOST_KINDS:
            key = ("", "more")
            known = self._found.get(key, _THE_REST)
        first = known is None
        known = known or ScenarioError(error, place, during, 0)
        self._found[key] = replace(known, count=known.count + 1)
        return first


class LogListener(logging.Handler):
    """Hears the errors that Locust, and gevent under it, write into the log of the load process."""

    def __init__(self, errors: ErrorTally) -> None:
        super().__init__(logging.ERROR)
        self._errors = errors

    def emit(self, record: logging.LogRecord) -> None:
        """Count a record of Locust's or of ours; what the scenario itself logs is its own affair."""
        if getattr(record, COUNTED, False):
            return
        error = _of_a_listener(record)
        if error is not None:
            self._errors.raised(error, LISTENER)
        elif record.name.startswith(("locust", "seatrial")):
            self._errors.logged(record.getMessage())


class EarlyListener(logging.Handler):
    """Keeps what listeners raise as a test starts, until there is a load that counts it."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.errors: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep an exception."""
        if error := _of_a_listener(record):
            self.errors.append(error)

    def begin(self) -> None:
        """Hear from now on."""
        self.errors.clear()
        logging.getLogger().addHandler(self)

    def end(self) -> None:
        """Hear no more."""
        logging.getLogger().removeHandler(self)


def _of_a_listener(record: logging.LogRecord) -> BaseException | None:
    """What a listener of events has raised: Locust calls them, and logs that."""
    return sys.exc_info()[1] if record.name == "root" and record.module == "event" else None


def hear_greenlets(hub: Any, errors: ErrorTally) -> Callable[[], None]:
    """Count what greenlets raise that the scenario has started; call the result to stop."""
    before = hub.handle_error

    def handle_error(context: object, kind: Any, value: Any, trace: TracebackType | None) -> None:
        if isinstance(value, Exception):
            errors.raised(value.with_traceback(trace), GREENLET)
        before(context, kind, value, trace)

    hub.handle_error = handle_error

    def stop() -> None:
        hub.handle_error = before

    return stop


def _comes_of_a_refusal(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, HostNotAllowed):
        error = error.__cause__ or error.__context__
    return error is not None


def place_of(trace: TracebackType | None, scenario: Path | None) -> str:
    """`file:line` of the innermost frame in the scenario, else in no library, else in any file."""
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(trace)]
    return place_among(frames, scenario)[1] if frames else ""


def place_among(frames: Sequence[tuple[str, int]], scenario: Path | None) -> tuple[int, str]:
    """The same of files and lines, the outermost first: which of them it is, and the place."""
    every = range(len(frames))
    in_files = [at for at in every if not frames[at][0].startswith("<")]  # as `<frozen posixpath>` is none
    in_scenario = [at for at in in_files if _resolved(frames[at][0]) == scenario]
    in_own_code = [at for at in in_files if not frames[at][0].startswith(_LIBRARIES)]
    found = (in_scenario or in_own_code or in_files or every)[-1]
    return found, _shown(*frames[found], scenario)


@functools.lru_cache(1024)
def _resolved(file: str) -> Path:
    """Asked for every frame of every exception: the system is asked once."""
    return Path(file).resolve()


def _shown(file: str, line: int, scenario: Path | None) -> str:
    """The file's name, with its folder where it is not the scenario's."""
    path = _resolved(file)
    beside = scenario is not None and path.is_relative_to(scenario.parent)
    name = path.relative_to(scenario.parent) if scenario is not None and beside else Path(file).name
    return f"{name}:{line}"


def _said(error: BaseException) -> str:
    text = shown(" ".join(str(error).split()))  # first whole: half a secret is not recognised
    kind = type(error).__name__
    return (f"{kind}: {text}" if text else kind)[:_LONGEST_TEXT]
