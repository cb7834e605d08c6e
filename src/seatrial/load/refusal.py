"""Why a load process gives up, said by itself in a file of its own, for whoever started it.

Its log is for people, and every line in it is somebody else's: Locust's, the scenario's, a library's. What
ends the process passes through here before it is text: the exception with its frames, and the records of
logging. So nobody has to find the reason in a log by the look of its lines.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import traceback
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO, cast

from seatrial.extras import bringing
from seatrial.home import private
from seatrial.load.failure import COUNTED
from seatrial.load.former import with_advice
from seatrial.model.secrets import shown

REFUSAL = "SEATRIAL_LOAD_REFUSAL"  # in the environment: the file
OURS = "seatrial_refusal"  # marks the record of what we ourselves refuse
_NO_USERS = "No User class found!"  # Locust's words, to which we add a way out
_CLASSES = "derive one from HttpUser, FastHttpUser, User, OpenLoopUser or ProtocolUser"
_MOST_LINES = 3
_ENVIRONMENT = type(os.environ).__getitem__.__code__.co_filename  # whoever raises KeyError for a variable


@contextlib.contextmanager
def telling(scenarios: Sequence[str]) -> Iterator[None]:
    """Tell why the block ends the process, if it does so with an error and anybody wants to know."""
    place = os.environ.pop(REFUSAL, "")
    if not place:
        yield
        return
    errors, heard = _noted_errors(), _Heard(sys.stderr)
    sys.stderr = cast("TextIO", heard)
    try:
        yield
    except SystemExit as end:
        if end.code or any(map(_is_ours, errors)):
            _tell(Path(place), _of_records(errors, scenarios) or heard.last)
        raise
    except BaseException as error:
        _tell(Path(place), of_exception(error, scenarios))
        raise


def told(place: Path) -> str:
    """What the process has told; empty when it has not come to it."""
    try:
        return place.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def of_exception(error: BaseException, scenarios: Sequence[str]) -> str:
    """`file:line: error`, with the innermost place in a scenario if it goes through there."""
    said = with_advice(traceback.format_exception_only(error)[-1].strip())
    frames = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, KeyError) and frames and frames[-1][0] == _ENVIRONMENT:
        said += "; set it in the environment, or under variables: in the target file"
    if isinstance(error, SyntaxError) and error.filename:
        frames.append((error.filename, error.lineno))
    known = {Path(scenario).name: scenario for scenario in scenarios}
    ours = [(known[name], line) for file, line in frames if (name := Path(file).name) in known]
    place = (ours or frames)[-1:]
    return f"{place[0][0]}:{place[0][1]}: {said}" if place else said


def tell_of_extras() -> None:
    """What only an extra would bring is told in one line from now on; anything else as ever."""
    before = sys.excepthook

    def tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, ModuleNotFoundError) and bringing((error.name or "").partition(".")[0]):
            sys.stderr.write(f"{of_exception(error, ())}\n")
        else:
            before(kind, error, trace)

    sys.excepthook = tell


class _Heard:
    """A stream of which the last line is known: all that Locust says of an option that it does not take."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.last = ""

    def write(self, text: str) -> int:
        """Write it."""
        self.last = next(filter(str.strip, reversed(text.splitlines())), self.last).strip()
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _noted_errors() -> deque[logging.LogRecord]:
    """The last errors that are logged from now on, whatever Locust makes of its handlers."""
    make = logging.getLogRecordFactory()
    errors: deque[logging.LogRecord] = deque(maxlen=100)

    def noting(*given: Any, **named: Any) -> logging.LogRecord:
        record = make(*given, **named)
        if record.levelno >= logging.ERROR:
            errors.append(record)
        return record

    logging.setLogRecordFactory(noting)
    return errors


def _of_records(errors: Sequence[logging.LogRecord], scenarios: Sequence[str]) -> str:
    """What was refused, else the last errors; those that are counted with the rows end nothing."""
    refused = list(filter(_is_ours, errors))
    ending = refused or [record for record in errors if not getattr(record, COUNTED, False)]
    raised = [record.exc_info[1] for record in ending if record.exc_info and record.exc_info[1]]
    if raised:
        return of_exception(raised[-1], scenarios)
    lines = [record.getMessage().strip() for record in ending[-_MOST_LINES:]]
    if _NO_USERS in lines:
        return f"{', '.join(scenarios)}: {_NO_USERS}; {_CLASSES}"
    return "\n".join(lines)


def _is_ours(record: logging.LogRecord) -> bool:
    return getattr(record, OURS, False)


def _tell(place: Path, reason: str) -> None:
    with contextlib.suppress(OSError), open(place, "w", encoding="utf-8", opener=private) as file:
        file.write(shown(reason))
