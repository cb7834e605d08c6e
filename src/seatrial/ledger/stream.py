"""Lines of JSON into a ledger: what `seatrial ledger append DIR < events.jsonl` does.

A batch is what the input has to give at the moment. So a file goes in as fast as it can be read, and a single
event that comes down a quiet pipe is durable at once instead of waiting for company.
"""

from __future__ import annotations

import os
import select
from collections.abc import Iterable, Iterator, Sequence

from seatrial.ledger.canonical import InvalidEvent, parse
from seatrial.ledger.writer import Ledger
from seatrial.model.problems import BadInput, Location, Problem

_READ_BYTES = 1 << 16
_BATCH_BYTES = 1 << 19
_LONGEST_LINE = 8 << 20  # escapes may spell an event several times as long as its canonical form


def line_batches(descriptor: int, source: str = "<stdin>") -> Iterator[list[bytes]]:
    """The complete lines of a file, pipe or socket, as they come; a last line may lack its end."""
    pieces: list[bytes] = []
    size, ended, number = 0, False, 0
    while not ended:
        piece = os.read(descriptor, _READ_BYTES)
        ended = not piece
        pieces.append(piece)
        size += len(piece)
        if not ended and size < _BATCH_BYTES and select.select([descriptor], [], [], 0)[0]:
            continue
        *lines, rest = b"".join(pieces).split(b"\n")
        if ended and rest:
            lines, rest = [*lines, rest], b""
        number += len(lines)
        if lines:
            yield lines
        if len(rest) > _LONGEST_LINE:
            place = Location(source, number + 1)
            raise BadInput(Problem(f"longer than {_LONGEST_LINE:,} bytes; that is no event", place))
        pieces, size = [rest], len(rest)


def append_stream(
    ledger: Ledger, batches: Iterable[Sequence[bytes]], source: str = "<stdin>"
) -> Iterator[int]:
    """Append one event a line; after each batch, the last sequence number that is durable.

    Empty lines are skipped. At a line that is no event all lines before it are appended and yielded first,
    then BadInput names it: nothing before it is lost, nothing after it is taken.
    """
    number = 0
    for lines in batches:
        events: list[bytes] = []
        problem: Problem | None = None
        for line in lines:
            number += 1
            if not line or line.isspace():
                continue
            try:
                events.append(parse(line))
            except InvalidEvent as error:
                problem = Problem(error.reason, Location(source, number), (error.path,) if error.path else ())
                break
        if events:
            yield ledger.append_canonical(events)
        if problem is not None:
            raise BadInput(problem)
