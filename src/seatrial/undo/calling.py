"""The one place where a fault's own code is called, whoever wants it: conductor, guardian, dry run, recover.

A fault may be anybody's, and what it calls (a client, a parser, the file system) raises what it likes. Here a
foreign exception becomes an error of ours that says which fault, in which method, what and where; what is
returned is held against the protocol. So whoever calls a fault has one family of errors to expect, and none
of them is a defect of ours.
"""

from __future__ import annotations

import contextlib
import math
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from seatrial.model.problems import SeatrialError, TooLate, Unreachable
from seatrial.model.role import Role
from seatrial.model.undo import PartlyUndone, UndoOutcome
from seatrial.undo.protocol import (
    Demanding,
    Fault,
    Fitting,
    Interruptible,
    Lagging,
    Observable,
    Probe,
    Spreading,
    Undo,
    Varied,
    Warming,
)

_LONGEST_LAG_S = 60.0


class FaultFailedError(SeatrialError):
    """A fault's own code broke the protocol: it raised what it may not, or returned what it may not."""

    exit_code = 2  # of whoever wrote the fault; what was to be found out is unknown


@contextlib.contextmanager
def _translated(fault: object, method: str) -> Iterator[None]:
    try:
        yield
    except SeatrialError:
        raise
    except (Exception, SystemExit) as error:  # a plugin that exits ends its call, not our thread
        said = f"{type(error).__name__}: {error}".rstrip(": ")
        raise FaultFailedError(f"{_name(fault)}: {method} raised {said}{_place(fault, error)}") from error


def _name(fault: object) -> str:
    return str(getattr(fault, "name", type(fault).__name__))


def _place(fault: object, error: BaseException) -> str:
    """The line of the fault's own file that led to it, or, when there is none, the line that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    its_file = getattr(sys.modules.get(type(fault).__module__), "__file__", None)
    place = next((frame for frame in reversed(frames) if frame.filename == its_file), frames[-1])
    return f" ({Path(place.filename).name}:{place.lineno})"


def _misfit(fault: object, method: str, returned: object, wanted: str) -> FaultFailedError:
    return FaultFailedError(f"{_name(fault)}: {method} returned {returned!r:.100}, and not {wanted}")


def build(make: Callable[[Undo], Fault], record: Undo) -> Fault:
    """The fault that `record` is the undo of; its file may be gone, or break while it is loaded.

    Raises SeatrialError, as every function here does, and nothing else.
    """
    try:
        return make(record)
    except SeatrialError:
        raise
    except Exception as error:
        raise FaultFailedError(
            f"{record.fault}: loading it raised {type(error).__name__}: {error}"
        ) from error


def prepare(fault: Fault, role: Role) -> Undo:
    """`Fault.prepare`."""
    with _translated(fault, "prepare"):
        undo = fault.prepare(role)
        if not isinstance(undo, Undo):
            raise _misfit(fault, "prepare", undo, "an Undo")
        undo.to_json()  # what cannot be written down cannot be undone by another process
    return undo


def fit(fault: Fault, role: Role) -> None:
    """`Fitting.fit`; nothing for a fault that asks no more of a binding than its driver does."""
    if isinstance(fault, Fitting):
        with _translated(fault, "fit"):
            fault.fit(role)


def warm(fault: Fault, undo: Undo) -> None:
    """`Warming.warm`; nothing for a fault that needs nothing ready."""
    if isinstance(fault, Warming):
        with _translated(fault, "warm"):
            fault.warm(undo)


def inject(fault: Fault, undo: Undo) -> None:
    """`Fault.inject`."""
    with _translated(fault, "inject"):
        fault.inject(undo)


def cut_short(fault: Fault, record: Undo) -> None:
    """`Interruptible.cut_short`; nothing for a fault that returns at once or not at all."""
    if isinstance(fault, Interruptible):
        with _translated(fault, "cut_short"):
            fault.cut_short(record)


def undo(fault: Fault, record: Undo) -> None:
    """`Fault.undo`."""
    with _translated(fault, "undo"):
        fault.undo(record)


def extended(fault: Fault, undo: Undo) -> Undo | None:
    """`Spreading.extended`; None too for a fault that does not spread."""
    if not isinstance(fault, Spreading):
        return None
    with _translated(fault, "extended"):
        wider = fault.extended(undo)
        if wider is not None and not isinstance(wider, Undo):
            raise _misfit(fault, "extended", wider, "an Undo or None")
        if wider is not None:
            wider.to_json()
    return wider


def lag_s(fault: Fault) -> float:
    """`Lagging.lag_s`; 0 for a fault whose effect cannot come late."""
    with _translated(fault, "lag_s"):  # whether it has one is asked by looking it up, which is a call
        lag = fault.lag_s if isinstance(fault, Lagging) else 0.0
        if not isinstance(lag, int | float) or not math.isfinite(lag):
            raise _misfit(fault, "lag_s", lag, "a number of seconds")
    return min(max(0.0, lag), _LONGEST_LAG_S)


def lacking(fault: Fault) -> str:
    """`Demanding.lacking`; empty too for a fault that any machine can inject."""
    if not isinstance(fault, Demanding):
        return ""
    with _translated(fault, "lacking"):
        missing = fault.lacking()
        if not isinstance(missing, str):
            raise _misfit(fault, "lacking", missing, "a text")
    return missing


def variations(fault: Varied, role: Role) -> list[Mapping[str, Any]]:
    """`Varied.variations`."""
    with _translated(fault, "variations"):
        found = list(fault.variations(role))
        if not all(isinstance(each, Mapping) for each in found):
            raise _misfit(fault, "variations", found, "mappings of parameters")
    return found


def effective(fault: Observable, undo: Undo) -> bool:
    """`Observable.effective`."""
    with _translated(fault, "effective"):
        shows = fault.effective(undo)
        if not isinstance(shows, bool):
            raise _misfit(fault, "effective", shows, "True or False")
    return shows


def gone(fault: Fault, undo: Undo) -> bool | None:
    """`Probe.gone`; None too for a fault without a probe."""
    if not isinstance(fault, Probe):
        return None
    with _translated(fault, "gone"):
        return _answer(fault, "gone", fault.gone(undo))


def healthy(fault: Fault, role: Role) -> bool | None:
    """`Probe.healthy`; None too for a fault without a probe."""
    if not isinstance(fault, Probe):
        return None
    with _translated(fault, "healthy"):
        return _answer(fault, "healthy", fault.healthy(role))


def _answer(fault: Fault, method: str, answer: object) -> bool | None:
    if answer is not None and not isinstance(answer, bool):
        raise _misfit(fault, method, answer, "True, False or None")
    return answer


def outcome_of(error: SeatrialError) -> UndoOutcome:
    """How an undo came out that ended in `error`."""
    match error.__cause__ if isinstance(error, FaultFailedError) else error:
        case PartlyUndone():
            return UndoOutcome.PARTLY
        case TooLate() | TimeoutError():
            return UndoOutcome.TIMED_OUT
        case Unreachable() | ConnectionError():
            return UndoOutcome.TARGET_GONE
        case _:
            return UndoOutcome.FAILED
