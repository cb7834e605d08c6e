"""What an importer is, and the record that it returns.

An importer is one file of this package, found by its declared name; see `discovery`.

To add one: such a file, or a class in a package of your own under the entry-point group `seatrial.importers`,
and its test. It says its `name`, whether it `recognises` a file, and how to `read` it; a log without the
instants at which requests were due goes through `without_schedule`. A whole one, for ab's table, is
`tests/support/example_package/seatrial_example/ab.py`.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import numpy as np

from seatrial.measure.generator import LogTells
from seatrial.measure.importers.compressed import compression_of, opened
from seatrial.model import parts
from seatrial.model.exactness import EXACT, Exactness
from seatrial.model.problems import BadInput, Location, Problem
from seatrial.model.requestlog import Bools, Coded, Floats, RequestLog

_HEAD = 65_536
_LONGEST_MESSAGE = 400
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_DELIMITERS = (",", ";", "|", "\t")


@dataclass(frozen=True, slots=True)
class Imported:
    """A request log that was read, in which format, and what its reader must know about it.

    `tells`: what such a log says of its generator; the rest is unknown, and never made up. `doubt`: what it
    says against its generator, or "". `exact`: how exact its instants are. `zero_unix_s`: when second 0 of
    the log was, in seconds since 1970, None where it does not tell; by the writer's own clock if not `zoned`.
    """

    log: RequestLog
    format: str
    tells: LogTells
    warnings: tuple[str, ...] = ()
    doubt: str = ""
    exact: Exactness = EXACT
    zero_unix_s: float | None = None
    zoned: bool = True


@dataclass(frozen=True, slots=True)
class Told:
    """What the reader of a log was told of it, "" for nothing."""

    log_format: str = ""  # how the lines of an access log are made up
    columns: str = ""  # which columns of a CSV mean what
    whole: bool = False  # requests are wanted as they were asked for, and not by their kinds


NOTHING = Told()


@dataclass(frozen=True, slots=True)
class Source:
    """A file to be read, decompressed on the way when it is zstd or gzip. `head` is how it begins."""

    path: Path
    compression: str  # "" when it is not
    head: bytes
    told: Told = NOTHING

    @classmethod
    def of(cls, path: Path, told: Told = NOTHING) -> Source:
        """Look at the file. Raises BadInput when it cannot be read or is empty."""
        try:
            with path.open("rb") as file:
                start = file.read(4)
            compression = compression_of(start)
            source = cls(path, compression, b"")
            with source.open() as stream:
                head = stream.read(_HEAD)
        except OSError as error:
            reason = error.strerror or str(error)
            raise BadInput(Problem(f"cannot be read: {reason}", Location(str(path)))) from error
        if not head.strip():
            raise BadInput(Problem("is empty: a request log has one row a request", Location(str(path))))
        if head.startswith(_UTF_16):
            message = "is UTF-16 text, as PowerShell writes it with >; save it as UTF-8"
            raise BadInput(Problem(message, Location(str(path))))
        return cls(path, compression, head, told)

    @property
    def first_line(self) -> str:
        """The first line of its text, without byte-order mark and line end."""
        return self.head.split(b"\n", 1)[0].decode("utf-8-sig", errors="replace").strip(" \r\n")

    @property
    def delimiter(self) -> str:
        """What sets the columns of its first line apart: the most frequent of comma, semicolon, bar, tab."""
        return max(_DELIMITERS, key=self.first_line.count)

    def header(self) -> tuple[str, ...]:
        """The first line as names of CSV columns."""
        return tuple(name.strip().strip('"') for name in self.first_line.split(self.delimiter))

    def open(self) -> BinaryIO:
        """A decompressed stream of its bytes."""
        return opened(self.path, self.compression)

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Its lines and their numbers, from 1."""
        with self.open() as stream:
            yield from enumerate(stream, start=1)

    def records(self, only: tuple[bytes, ...] = ()) -> Iterator[tuple[int, dict[str, Any]]]:
        """Its lines as JSON objects, with their numbers; those alone that contain one of `only`, if given."""
        for number, line in self.lines():
            if not line.strip() or (only and not any(part in line for part in only)):
                continue
            try:
                value = json.loads(line)
            except ValueError as error:
                raise self.problem(f"is not JSON: {error}", number) from error
            if not isinstance(value, dict):
                raise self.problem("a JSON object is expected on each line", number)
            yield number, value

    def problem(self, message: str, line: int | None = None) -> BadInput:
        """An error about the file, or about one line of it.

        What is quoted from the file may hold anything, also what a terminal would obey; an error is one line.
        """
        shown = "".join(sign if sign.isprintable() else "\ufffd" for sign in message[:_LONGEST_MESSAGE])
        return BadInput(Problem(shown, Location(str(self.path), line)))


class Importer(ABC):
    """Reads the request log of one tool."""

    name: ClassVar[str]  # what people write after `--format`

    @abstractmethod
    def recognises(self, source: Source) -> bool:
        """Whether the file looks like this tool's."""

    @abstractmethod
    def read(self, source: Source) -> Imported:
        """The log, rows in any order. Raises BadInput with the line that is wrong."""


LineOf = Callable[[int], int | None]  # a row of the log, from 0 → its line in the file, from 1

CLOSED_LOOP = (
    "this log has no intended instants: every request counts as due when it was sent. If the tool waits for "
    "answers before it sends more, a stall hides the requests that would have shown it (coordinated "
    "omission), and downtime and latency are lower than clients would have seen"
)


def without_schedule(
    source: Source,
    *,
    sent: Floats,
    ended: Floats,
    ok: Bools,
    status: Floats,
    name: Coded,
    error: Coded,
    worker: Coded | None = None,
    served_by: Coded | None = None,
    line_of: LineOf | None = None,
) -> RequestLog:
    """The log of a tool that does not say when requests were due: intended = sent, zero at the first of them.

    Raises BadInput for times that cannot be.
    """
    zero = float(np.min(sent, initial=np.inf))
    nothing = Coded(np.zeros(len(sent), dtype=np.int32), ("",))
    with np.errstate(invalid="ignore"):  # what is infinite is told below
        sent, ended = sent - zero, ended - zero
    log = RequestLog(
        intended=sent,
        sent=sent,
        ended=ended,
        ok=ok,
        status=np.clip(np.nan_to_num(status), 0, 999).astype(np.int16),
        name=name,
        served_by=served_by or nothing,
        error=error,
        worker=worker or nothing,
    )
    check_times(log, source, line_of)
    return log


def check_times(log: RequestLog, source: Source, line_of: LineOf | None) -> None:
    """Raise BadInput for the first row with times that are missing or run backwards, and its line."""
    rules: tuple[tuple[Callable[[slice], Bools], str], ...] = (
        (lambda rows: ~np.isfinite(log.intended[rows]), "'intended' is empty or not finite"),
        (
            lambda rows: np.isinf(log.sent[rows]) | np.isinf(log.ended[rows]),
            "'sent' or 'ended' is infinite; leave it empty",
        ),
        (lambda rows: log.ended[rows] < log.sent[rows], "'ended' lies before 'sent'"),
        (lambda rows: np.isnan(log.sent[rows]) & ~np.isnan(log.ended[rows]), "'ended' without 'sent'"),
    )
    for breaks, said in rules:
        with np.errstate(invalid="ignore"):
            broken = parts.each(len(log), np.bool_, breaks)
        if broken.any():
            row = int(np.argmax(broken))
            raise source.problem(f"row {row + 1}: {said}", None if line_of is None else line_of(row))


def epoch_s(text: str) -> float:
    """Seconds since 1970 of an RFC 3339 instant. Raises ValueError."""
    return datetime.fromisoformat(text).timestamp()
